-- Which models were called in the range? Value and text of the dashboards' variable.
SELECT DISTINCT toString(model) AS value, if(value = '', '(none)', value) AS text
FROM
(
    SELECT model
    FROM attempts_hourly
    WHERE NOT by_tenant AND hour >= toStartOfHour($__fromTime_ms) AND hour < $__toTime_ms
    UNION ALL
    SELECT model
    FROM stored_attempts
    WHERE toStartOfHour(started_at) IN (SELECT arrayJoin(hours) FROM dirty_hours)
        AND started_at >= $__fromTime_ms AND started_at < $__toTime_ms
)
ORDER BY value
LIMIT 1000
