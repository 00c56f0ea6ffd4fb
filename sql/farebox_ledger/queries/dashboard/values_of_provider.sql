-- Which providers were called in the range? Value and text of the dashboards' variable.
SELECT DISTINCT toString(provider) AS value, if(value = '', '(none)', value) AS text
FROM stored_attempts
WHERE started_at >= $__fromTime_ms AND started_at < $__toTime_ms
ORDER BY value
LIMIT 1000
