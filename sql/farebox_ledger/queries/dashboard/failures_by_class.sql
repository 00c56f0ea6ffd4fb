-- How often did answers fail, of each class, and what did those cost? One row a class, most frequent first. Detectors as in
-- `farebox report --failures`: of those checked, with Wilson's 95 % interval; malformed calls are per tool call. Outcomes other
-- than ok are of all attempts. An answer with two flags stands in both rows. USD of what is known, NULL: nothing is.
WITH
    1.959963984540054 AS z,
    ended.failed + z * z / 2 AS centre,
    z * sqrt(ended.failed * (ended.checked - ended.failed) / ended.checked + z * z / 4) AS reach
SELECT
    rates.failure AS `class`,
    rates.unit AS `of`,
    toUInt64(rates.failed) AS `failed`,
    toUInt64(rates.checked) AS `checked`,
    toFloat64(rates.rate) AS `rate`,
    toFloat64(rates.low) AS `at least`,
    toFloat64(rates.high) AS `at most`,
    toFloat64(costs.spend) AS `spend`,
    toUInt64(ifNull(costs.unpriced + costs.partial, 0)) AS `not fully priced`,
    ifNull(toString(costs.spend), '') AS `spend, exact`
FROM @query(failure_rates) AS rates
LEFT JOIN @query(failure_costs) AS costs ON costs.total = rates.total AND costs.failure = rates.failure
WHERE rates.total = 1 AND rates.failed > 0 AND position(rates.failure, '.') = 0
UNION ALL
SELECT
    ended.class,
    'attempt',
    toUInt64(ended.failed),
    toUInt64(ended.checked),
    toFloat64(ended.failed / ended.checked),
    toFloat64((centre - reach) / (ended.checked + z * z)),
    toFloat64(if(ended.failed = ended.checked, 1, (centre + reach) / (ended.checked + z * z))),
    toFloat64(ended.known),
    toUInt64(ended.doubtful),
    ifNull(toString(ended.known), '')
FROM
(
    SELECT
        toString(outcome) AS class,
        sum(attempts) AS failed,
        sum(failed) OVER () AS checked,
        sum(spend) AS known,
        sum(no_price + no_usage + partial) AS doubtful
    FROM @amounts($__fromTime_ms, $__toTime_ms, 0)
    GROUP BY class
) AS ended
WHERE ended.class != 'ok' AND ended.failed > 0
ORDER BY `failed` DESC, `class`
SETTINGS join_use_nulls = 1
