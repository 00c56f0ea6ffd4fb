-- Days whose hours did not change since they were counted. tasks_hourly is the last rollup that a refresh fills.
CREATE VIEW IF NOT EXISTS closed_days
(
    days Array(Date) COMMENT 'Days that users_daily holds as they are'
)
AS
SELECT groupArray(day) AS days
FROM
(
    SELECT day, max(counted.at) AS counted_at, max(counted.rolled_at) AS last_rolled_at
    FROM
    (
        SELECT day, counted_at AS at, toDateTime64(0, 6, 'UTC') AS rolled_at FROM counted_days
        UNION ALL
        SELECT toDate(hour) AS day, toDateTime64(0, 6, 'UTC') AS at, rolled_at FROM tasks_hourly
    ) AS counted
    GROUP BY day
)
WHERE counted_at > last_rolled_at
    AND day NOT IN (SELECT toDate(arrayJoin(hours)) FROM dirty_hours)
COMMENT 'Days that users_daily holds as they are; all others are counted from their hours. A single row'
