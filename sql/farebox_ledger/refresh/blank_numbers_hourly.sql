-- Which processes have nothing any more in these hours, because a correction took it away? They count as nothing.
INSERT INTO numbers_hourly
(
    hour,
    service,
    instance,
    first_at,
    first,
    last,
    numbers,
    rolled_at
)
SELECT
    hour,
    service,
    instance,
    first_at,
    0 AS first,
    0 AS last,
    0 AS numbers,
    {now:DateTime64(6, 'UTC')} AS rolled_at
FROM numbers_hourly FINAL
WHERE hour IN {hours:Array(DateTime('UTC'))} AND numbers_hourly.rolled_at < {now:DateTime64(6, 'UTC')}
