-- Which calls came to the ledger last, of those that began since a moment? The hundred latest, one row a call: USD of what
-- is known of it, and how many of its attempts that lacks.
SELECT
    lower(hex(trace_id)) AS trace,
    call_id AS call,
    min(started_at) AS began,
    max(llm_attempts.received_at) AS landed,
    argMin(toString(llm_attempts.route), (started_at, span_id)) AS route,
    argMax(toString(llm_attempts.model), (started_at, span_id)) AS model,
    argMax(toString(llm_attempts.provider), (started_at, span_id)) AS provider,
    any(llm_attempts.task) AS task,
    countIf(kind != 'iteration') AS attempts,
    max(llm_attempts.good AND kind != 'iteration') AS good,
    argMax(toString(llm_attempts.outcome), (kind != 'iteration', started_at, span_id)) AS outcome,
    arraySort(groupUniqArrayArray(arrayMap(each -> toString(each), llm_attempts.flags))) AS flags,
    sum(duration_ms) AS milliseconds,
    sum(input_tokens) AS input_tokens,
    sum(llm_attempts.output_tokens) AS output_tokens,
    sum(list_cost) AS cost,
    countIf(price_state IN ('no_price', 'no_usage', 'partial')) AS not_fully_priced
FROM llm_attempts
WHERE started_at >= {since:DateTime64(6, 'UTC')}
GROUP BY trace_id, call_id
ORDER BY landed DESC, began DESC, trace, call
LIMIT 100
