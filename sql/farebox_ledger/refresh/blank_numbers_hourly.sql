-- Which processes have nothing any more in these hours, because a correction took it away? They count as nothing.
SELECT
    hour,
    service,
    instance,
    first_at,
    0 AS first,
    0 AS last,
    0 AS numbers,
    {now:DateTime64(6, 'UTC')} - INTERVAL 1 MICROSECOND AS rolled_at
FROM numbers_hourly FINAL
WHERE hour IN {hours:Array(DateTime('UTC'))} AND numbers_hourly.rolled_at < {now:DateTime64(6, 'UTC')}
