-- Which days have passed, an hour ago at least, and are not counted as they are now?
SELECT DISTINCT toDate(hour) AS day
FROM tasks_hourly
WHERE hour < toStartOfDay(now('UTC') - INTERVAL 1 HOUR)
    AND NOT has((SELECT days FROM closed_days), toDate(hour))
    AND toDate(hour) NOT IN (SELECT toDate(arrayJoin(hours)) FROM dirty_hours)
ORDER BY day
