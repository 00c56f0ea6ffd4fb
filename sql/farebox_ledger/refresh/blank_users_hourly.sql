-- Which groups of these hours have nothing any more, because a correction moved it to another group? They count as nothing.
SELECT
    hour,
    user_id,
    tenant,
    0 AS attempts,
    NULL AS spend,
    0 AS no_price,
    0 AS no_usage,
    0 AS partial,
    {now:DateTime64(6, 'UTC')} - INTERVAL 1 MICROSECOND AS rolled_at
FROM users_hourly FINAL
WHERE hour IN {hours:Array(DateTime('UTC'))} AND users_hourly.rolled_at < {now:DateTime64(6, 'UTC')}
