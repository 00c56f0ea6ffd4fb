CREATE MATERIALIZED VIEW IF NOT EXISTS arrivals_mv TO arrivals
AS
SELECT
    toStartOfHour(started_at) AS hour,
    if(task = '', sipHash64(trace_id, call_id), sipHash64(task)) AS task_key,
    span_id,
    trace_id,
    version,
    content,
    started_at,
    received_at,
    service,
    route,
    provider,
    model,
    outcome,
    usage_state,
    uncached_input_tokens,
    output_tokens,
    list_cost,
    price_state
FROM stored_attempts
COMMENT 'Notes every stored attempt for the next refresh'
