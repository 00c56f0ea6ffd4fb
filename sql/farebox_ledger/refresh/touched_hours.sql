-- Which hours do the arrivals touch, and how many attempts are stored in each? One row an hour.
SELECT toStartOfHour(started_at) AS hour, count() AS attempts
FROM stored_attempts
WHERE hour IN
(
    SELECT hour FROM arrivals WHERE _part IN {parts:Array(String)}
    UNION ALL
    SELECT hour FROM task_hours WHERE task_key IN (SELECT task_key FROM arrivals WHERE _part IN {parts:Array(String)})
)
GROUP BY hour
ORDER BY hour
