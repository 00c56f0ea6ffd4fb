-- Which calls cost most? The twenty dearest: USD of their attempts in the range that the variables let through, what is
-- known of it. They are found by cost alone, and only those twenty are then looked at in full: more than twice as fast.
WITH
    (
        SELECT groupArray(call)
        FROM
        (
            SELECT sipHash128(trace_id, call_id) AS call
            FROM llm_attempts
            WHERE started_at >= $__fromTime_ms AND started_at < $__toTime_ms
                AND @chosen(route) AND @chosen(provider) AND @chosen(model) AND @chosen(tenant)
            GROUP BY call
            ORDER BY sum(list_cost) DESC, min(started_at), min(trace_id)
            LIMIT 20
        )
    ) AS dearest
SELECT
    min(started_at) AS `began`,
    lower(hex(trace_id)) AS `trace`,
    argMin(toString(llm_attempts.route), (started_at, span_id)) AS `route`,
    argMin(toString(llm_attempts.model), (started_at, span_id)) AS `model`,
    any(task) AS `task`,
    countIf(kind != 'iteration') AS `attempts`,
    if(max(good AND kind != 'iteration'), 'good', 'failed') AS `ended`,
    sum(input_tokens) AS `input tokens`,
    sum(llm_attempts.output_tokens) AS `output tokens`,
    toFloat64(sum(list_cost)) AS `spend`,
    countIf(price_state IN ('no_price', 'no_usage', 'partial')) AS `not fully priced`,
    ifNull(toString(sum(list_cost)), '') AS `spend, exact`
FROM llm_attempts
WHERE started_at >= $__fromTime_ms AND started_at < $__toTime_ms AND has(dearest, sipHash128(trace_id, call_id))
    AND @chosen(llm_attempts.route) AND @chosen(provider) AND @chosen(llm_attempts.model) AND @chosen(tenant)
GROUP BY trace_id, call_id
ORDER BY sum(list_cost) DESC, `began`, `trace`
