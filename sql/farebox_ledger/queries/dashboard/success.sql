-- Of the tasks and calls that began in the range: what did a success cost, with all retries, escalations and minutes of human
-- work? USD a success, NULL without a success or if no money is known; `not fully priced` counts what the money lacks. And which
-- share of calls failed, that is, had no good attempt? From 0 to 1 with a 95 % interval (Wilson 1927), NULL without calls. One
-- question for two panels, since both are asked of the same tasks.
WITH
    1.959963984540054 AS z,
    failed + z * z / 2 AS centre,
    z * sqrt(failed * (calls - failed) / calls + z * z / 4) AS reach
SELECT
    toFloat64(if(successes > 0, divideDecimal(known, toDecimal64(greatest(successes, 1), 0), 18), NULL)) AS `per success`,
    successes AS `successes`,
    doubtful AS `not fully priced`,
    if(calls = 0, NULL, failed / calls) AS `failure rate`,
    multiIf(calls = 0, NULL, failed = 0, 0, (centre - reach) / (calls + z * z)) AS `at least`,
    multiIf(calls = 0, NULL, failed = calls, 1, (centre + reach) / (calls + z * z)) AS `at most`,
    calls AS `calls`
FROM
(
    SELECT
        sum(spend) AS known,
        sum(begun.successes) AS successes,
        sum(doubts) AS doubtful,
        sum(begun.calls) AS calls,
        sum(begun.failed) AS failed
    FROM @tasks($__fromTime_ms, $__toTime_ms) AS begun
)
