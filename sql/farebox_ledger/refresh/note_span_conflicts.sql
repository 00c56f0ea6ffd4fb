-- Which arrivals have the ids of an earlier span and other content?
INSERT INTO span_conflicts
(
    trace_id,
    span_id,
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
)
SELECT
    trace_id,
    span_id,
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
FROM conflicting_arrivals(parts = {parts:Array(String)})
