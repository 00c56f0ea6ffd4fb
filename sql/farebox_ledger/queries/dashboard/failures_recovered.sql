-- What became of attempts that were no good? By how they failed (an attempt with two flags stands in two rows): how many were
-- made good by a later attempt of the same call, by a later call of the same task, or not at all in the range; the share made
-- good, from 0 to 1, with Wilson's 95 % interval; and what the failed ones cost. USD of what is known, NULL: nothing is.
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
        arrayJoin(failure.classes) AS class,
        count() AS failed,
        countIf(failure.retried) AS by_retry,
        countIf(NOT failure.retried AND last_good > failure.at) AS by_call,
        sum(failure.cost) AS known,
        countIf(failure.doubtful) AS doubtful
    FROM
    (
        SELECT
            max(call_good) AS last_good,
            arrayJoin(arrayFlatten(groupArray(failures))) AS failure
        FROM
        (
            SELECT
                sipHash64(trace_id, call_id) AS call,
                if(task = '', call, sipHash64(task)) AS whole,
                maxIf(started_at, good) AS call_good,
                maxIf(attempt, good) AS attempt_good,
                groupArrayIf(
                    CAST(
                        (
                            started_at,
                            attempt,
                            multiIf(
                                good, [],
                                outcome != 'ok', [toString(outcome)],
                                arrayDistinct(arrayMap(
                                    flag -> splitByChar('.', toString(flag))[1],
                                    arrayFilter(flag -> NOT startsWith(flag, 'not_checked.') AND flag != 'long_context', flags)
                                ))
                            ),
                            list_cost,
                            price_state IN ('no_price', 'no_usage', 'partial')
                        ),
                        'Tuple(at DateTime64(6, \'UTC\'), attempt UInt16, classes Array(String), cost Nullable(Decimal(38, 12)), doubtful Bool)'
                    ),
                    NOT good
                ) AS bad,
                arrayMap(
                    each -> CAST(
                        (each.at, each.classes, each.cost, each.doubtful, each.attempt < attempt_good),
                        'Tuple(at DateTime64(6, \'UTC\'), classes Array(String), cost Nullable(Decimal(38, 12)), doubtful Bool, retried Bool)'
                    ),
                    bad
                ) AS failures
            FROM llm_attempts
            WHERE started_at >= $__fromTime_ms AND started_at < $__toTime_ms AND kind != 'iteration'
                AND @chosen(route) AND @chosen(provider) AND @chosen(model) AND @chosen(tenant)
            GROUP BY whole, call
        )
        GROUP BY whole
    )
    GROUP BY class
)
ORDER BY `failed` DESC, class
LIMIT 100
