-- Which groups of these hours have nothing any more, because a correction moved it to another group? They count as nothing.
INSERT INTO failures_hourly
(
    by_tenant,
    tenant,
    hour,
    route,
    provider,
    model,
    class,
    failed,
    by_retry,
    by_call,
    spend,
    doubtful,
    rolled_at
)
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
    {now:DateTime64(6, 'UTC')} AS rolled_at
FROM failures_hourly FINAL
WHERE hour IN {hours:Array(DateTime('UTC'))} AND failures_hourly.rolled_at < {now:DateTime64(6, 'UTC')}
