-- How do models compare? One row a model and provider, dearest first. Attempts, spend, latency (milliseconds) and cache hits
-- are of the model's attempts; calls, failure rate (Wilson's 95 % interval) and cost per success are of the calls and tasks
-- that began with it. USD of what is known, NULL: nothing is.
WITH
    1.959963984540054 AS z,
    begun.failed + z * z / 2 AS centre,
    z * sqrt(begun.failed * (begun.calls - begun.failed) / begun.calls + z * z / 4) AS reach
SELECT
    spent.model AS `model`,
    spent.provider AS `provider`,
    ifNull(begun.calls, 0) AS `calls`,
    spent.attempts AS `attempts`,
    toFloat64(spent.known) AS `spend`,
    toFloat64(if(spent.attempts > 0, divideDecimal(spent.known, toDecimal64(greatest(spent.attempts, 1), 0), 18), NULL)) AS `per attempt`,
    toFloat64(if(begun.successes > 0, divideDecimal(begun.known, toDecimal64(greatest(begun.successes, 1), 0), 18), NULL)) AS `per success`,
    ifNotFinite(spent.speeds[1], NULL) AS `p50`,
    ifNotFinite(spent.speeds[2], NULL) AS `p95`,
    if(begun.calls > 0, begun.failed / begun.calls, NULL) AS `failure rate`,
    multiIf(ifNull(begun.calls, 0) = 0, NULL, begun.failed = 0, 0, (centre - reach) / (begun.calls + z * z)) AS `at least`,
    multiIf(ifNull(begun.calls, 0) = 0, NULL, begun.failed = begun.calls, 1, (centre + reach) / (begun.calls + z * z)) AS `at most`,
    if(spent.input_tokens > 0, spent.cached_tokens / spent.input_tokens, NULL) AS `cache hit rate`,
    spent.doubtful AS `not fully priced`,
    ifNull(toString(spent.known), '') AS `spend, exact`
FROM
(
    SELECT
        toString(model) AS model,
        toString(provider) AS provider,
        sum(spend) AS known,
        sum(attempts) AS attempts,
        sum(known_input_tokens) AS input_tokens,
        sum(cached_tokens) AS cached_tokens,
        sum(no_price + no_usage + partial) AS doubtful,
        quantilesDDMerge(0.01, 0.5, 0.95, 0.99)(latencies) AS speeds
    FROM @attempts($__fromTime_ms, $__toTime_ms, 0)
    GROUP BY model, provider
) AS spent
LEFT JOIN
(
    SELECT
        toString(model) AS model,
        toString(provider) AS provider,
        sum(calls) AS calls,
        sum(failed) AS failed,
        sum(successes) AS successes,
        sum(spend) AS known
    FROM @tasks($__fromTime_ms, $__toTime_ms)
    GROUP BY model, provider
) AS begun ON begun.model = spent.model AND begun.provider = spent.provider
ORDER BY spent.known DESC, spent.attempts DESC, spent.model, spent.provider
LIMIT 200
SETTINGS join_use_nulls = 1
