-- What became of attempts that were no good? By how they failed (an attempt with two flags stands in two rows): how many were
-- made good by a later attempt of the same call, by a later call of the same task, or not at all until now, whatever the range
-- and whichever route or model did it; the share made good, from 0 to 1, with Wilson's 95 % interval; and what the failed ones
-- cost. USD of what is known, NULL: nothing is.
WITH
    1.959963984540054 AS z,
    by_retry + by_call AS made_good,
    made_good + z * z / 2 AS centre,
    z * sqrt(made_good * (failed - made_good) / failed + z * z / 4) AS reach
SELECT
    class AS `class`,
    failed AS `failed`,
    by_retry AS `by retry`,
    by_call AS `by another call`,
    failed - made_good AS `not recovered`,
    made_good / failed AS `recovered`,
    if(made_good = 0, 0, (centre - reach) / (failed + z * z)) AS `at least`,
    if(made_good = failed, 1, (centre + reach) / (failed + z * z)) AS `at most`,
    toFloat64(known) AS `spend`,
    doubtful AS `not fully priced`,
    ifNull(toString(known), '') AS `spend, exact`
FROM
(
    SELECT
        toString(each.class) AS class,
        sum(each.failed) AS failed,
        sum(each.by_retry) AS by_retry,
        sum(each.by_call) AS by_call,
        sum(each.spend) AS known,
        sum(each.doubtful) AS doubtful
    FROM failures_between(
        since = toDateTime64($__fromTime_ms, 6, 'UTC'), until = toDateTime64($__toTime_ms, 6, 'UTC'), by_tenant = if(@all(tenant), 0, 1)
    ) AS each
    WHERE @chosen(route) AND @chosen(provider) AND @chosen(model) AND @chosen(tenant)
    GROUP BY class
)
ORDER BY `failed` DESC, class
LIMIT 100
