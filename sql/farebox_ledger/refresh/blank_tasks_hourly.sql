-- Which groups of these hours have nothing any more, because a correction moved it to another group? They count as nothing.
SELECT
    by_tenant,
    tenant,
    hour,
    route,
    provider,
    model,
    0 AS calls,
    0 AS failed,
    0 AS tasks,
    0 AS successes,
    NULL AS spend,
    NULL AS human_spend,
    0 AS human_unpriced,
    0 AS unpriced,
    0 AS partial,
    {now:DateTime64(6, 'UTC')} - INTERVAL 1 MICROSECOND AS rolled_at
FROM tasks_hourly FINAL
WHERE hour IN {hours:Array(DateTime('UTC'))} AND tasks_hourly.rolled_at < {now:DateTime64(6, 'UTC')}
