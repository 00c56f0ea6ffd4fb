-- What was spent on attempts that were no good (ended other than ok, or with a flag that disqualifies), passes billed beside
-- them included? USD of what is known, its share of all spend, and how many of them are not fully priced.
WITH
    llm_attempts.started_at >= $__fromTime_ms AND llm_attempts.started_at < $__toTime_ms AS in_range,
    if(
        kind != 'iteration',
        NOT good,
        (trace_id, call_id, attempt) IN
        (
            SELECT trace_id, call_id, attempt
            FROM llm_attempts
            WHERE started_at >= $__fromTime_ms AND started_at < $__toTime_ms AND kind != 'iteration' AND NOT good
        )
    ) AS failed
SELECT
    toFloat64(sumIf(list_cost, failed)) AS `on failures`,
    toFloat64(sumIf(list_cost, failed)) / nullIf(toFloat64(sum(list_cost)), 0) AS `share of spend`,
    countIf(failed AND price_state IN ('no_price', 'no_usage', 'partial')) AS `not fully priced`
FROM llm_attempts
WHERE in_range AND @chosen(route) AND @chosen(provider) AND @chosen(model) AND @chosen(tenant)
