-- Which groups of these hours have nothing any more, because a correction moved it to another group? They count as nothing.
SELECT
    by_tenant,
    tenant,
    trait,
    hour,
    route,
    provider,
    model,
    value,
    0 AS answers,
    0 AS bad,
    0 AS hedging_checked,
    0 AS hedging,
    0 AS overconfidence_checked,
    0 AS overconfidence,
    0 AS calls_checked,
    0 AS calls_malformed,
    map() AS counts,
    NULL AS spend_bad,
    0 AS doubtful,
    {now:DateTime64(6, 'UTC')} - INTERVAL 1 MICROSECOND AS rolled_at
FROM answers_hourly FINAL
WHERE hour IN {hours:Array(DateTime('UTC'))} AND answers_hourly.rolled_at < {now:DateTime64(6, 'UTC')}
