-- What did each route cost and how did it go? One row a route, dearest first. Spend and its change on the same stretch a week
-- before are of the route's attempts; cost per success and failure rate (Wilson's 95 % interval) are of the tasks and calls
-- that began on it; p95 is of attempts, in milliseconds; the top failure is the most frequent outcome other than ok, or flag.
-- USD of what is known, NULL: nothing is; rates from 0 to 1; `not fully priced` counts the attempts that spend lacks.
WITH
    1.959963984540054 AS z,
    begun.failed + z * z / 2 AS centre,
    z * sqrt(begun.failed * (begun.calls - begun.failed) / begun.calls + z * z / 4) AS reach
SELECT
    spent.route AS `route`,
    toFloat64(spent.known) AS `spend`,
    if(before.known > 0, toFloat64(spent.known) / toFloat64(before.known) - 1, NULL) AS `change on last week`,
    toFloat64(if(begun.successes > 0, divideDecimal(begun.known, toDecimal64(greatest(begun.successes, 1), 0), 18), NULL)) AS `per success`,
    ifNotFinite(spent.speeds[2], NULL) AS `p95`,
    if(begun.calls > 0, begun.failed / begun.calls, NULL) AS `failure rate`,
    multiIf(ifNull(begun.calls, 0) = 0, NULL, begun.failed = 0, 0, (centre - reach) / (begun.calls + z * z)) AS `at least`,
    multiIf(ifNull(begun.calls, 0) = 0, NULL, begun.failed = begun.calls, 1, (centre + reach) / (begun.calls + z * z)) AS `at most`,
    arrayReverseSort(arrayFilter(
        each -> each.2 NOT IN ('ok', 'long_context', 'hedging', 'overconfidence', 'disqualified', 'any'),
        arrayZip(spent.classes.2, spent.classes.1)
    ))[1].2 AS `top failure`,
    spent.attempts AS `attempts`,
    spent.doubtful AS `not fully priced`,
    ifNull(toString(spent.known), '') AS `spend, exact`
FROM
(
    SELECT
        toString(route) AS route,
        sum(spend) AS known,
        sum(attempts) AS attempts,
        sum(no_price + no_usage + partial) AS doubtful,
        quantilesDDMerge(0.01, 0.5, 0.95, 0.99)(latencies) AS speeds,
        sumMap(
            arrayConcat([toString(outcome)], arrayMap(each -> toString(each), failures.1)),
            arrayConcat([made.attempts], failures.2)
        ) AS classes
    FROM @attempts($__fromTime_ms, $__toTime_ms, 0) AS made
    GROUP BY route
) AS spent
LEFT JOIN
(
    SELECT toString(route) AS route, sum(spend) AS known
    FROM @amounts($__fromTime_ms - INTERVAL 7 DAY, $__toTime_ms - INTERVAL 7 DAY, 0)
    GROUP BY route
) AS before ON before.route = spent.route
LEFT JOIN
(
    SELECT
        toString(route) AS route,
        sum(calls) AS calls,
        sum(failed) AS failed,
        sum(successes) AS successes,
        sum(spend) AS known
    FROM @tasks($__fromTime_ms, $__toTime_ms)
    GROUP BY route
) AS begun ON begun.route = spent.route
ORDER BY spent.known DESC, spent.attempts DESC, spent.route
LIMIT 200
SETTINGS join_use_nulls = 1
