-- Which groups of these hours have nothing any more, because a correction moved it to another group? They count as nothing.
SELECT
    by_tenant,
    tenant,
    hour,
    route,
    provider,
    model,
    class,
    0 AS failed,
    0 AS by_retry,
    0 AS by_call,
    NULL AS spend,
    0 AS doubtful,
    {now:DateTime64(6, 'UTC')} - INTERVAL 1 MICROSECOND AS rolled_at
FROM failures_hourly FINAL
WHERE hour IN {hours:Array(DateTime('UTC'))} AND failures_hourly.rolled_at < {now:DateTime64(6, 'UTC')}
