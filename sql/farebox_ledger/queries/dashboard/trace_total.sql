-- What did the task cost in all, in how many calls and attempts, and for how long did it run? USD of what is known, NULL: nothing is;
-- of it what attempts that were no good cost; milliseconds from its first attempt to the end of its last.
SELECT
    toFloat64(sum(list_cost)) AS `spend`,
    if(count() > 0 AND countIf(NOT good AND kind != 'iteration') = 0, 0, toFloat64(sumIf(list_cost, NOT good AND kind != 'iteration'))) AS `on failures`,
    uniqExact(trace_id, call_id) AS `calls`,
    countIf(kind != 'iteration') AS `attempts`,
    if(
        count() = 0,
        NULL,
        max(toUnixTimestamp64Micro(started_at) / 1000 + ifNull(duration_ms, 0)) - min(toUnixTimestamp64Micro(started_at)) / 1000
    ) AS `took`,
    countIf(price_state IN ('no_price', 'no_usage', 'partial')) AS `not fully priced`
FROM @traced()
