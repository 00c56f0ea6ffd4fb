-- The same from llm_attempts: what a refresh counts into attempts_hourly, and what a query counts of dirty hours.
CREATE VIEW IF NOT EXISTS attempt_sums
AS
SELECT
    toStartOfHour(started_at) AS hour,
    service,
    environment,
    route,
    provider,
    model,
    countIf(kind != 'iteration') AS attempts,
    countIf(kind != 'iteration' AND outcome = 'ok') AS ended_ok,
    countIf(kind != 'iteration' AND good) AS good_attempts,
    sum(list_cost) AS spend,
    sum(cost_input) AS spend_input,
    sum(cost_cache_read) AS spend_cache_read,
    sum(cost_cache_write) AS spend_cache_write,
    sum(cost_output) AS spend_output,
    sum(cost_tools) AS spend_tools,
    countIf(price_state = 'no_price') AS no_price,
    countIf(price_state = 'no_usage') AS no_usage,
    countIf(price_state = 'partial') AS partial,
    sumIf(ifNull(input_tokens, 0) + ifNull(llm_attempts.output_tokens, 0) + ifNull(audio_output_tokens, 0) + ifNull(image_output_tokens, 0), list_cost IS NULL) AS unpriced_tokens,
    ifNull(sum(input_tokens), 0) AS known_input_tokens,
    ifNull(sumIf(cache_read_tokens, input_tokens IS NOT NULL), 0) AS cached_tokens,
    sum(ifNull(cache_write_5m_tokens, 0) + ifNull(cache_write_1h_tokens, 0) + ifNull(cache_write_unsplit_tokens, 0) + ifNull(cache_write_30m_tokens, 0) + ifNull(cache_write_12h_tokens, 0)) AS cache_written_tokens,
    sum(ifNull(llm_attempts.output_tokens, 0) + ifNull(audio_output_tokens, 0) + ifNull(image_output_tokens, 0)) AS output_tokens,
    ifNull(sum(llm_attempts.reasoning_tokens), 0) AS reasoning_tokens,
    ifNull(sum(llm_attempts.tool_calls), 0) AS tool_calls,
    quantilesDDState(0.01, 0.5, 0.95, 0.99)(duration_ms) AS latencies
FROM llm_attempts
WHERE toStartOfHour(started_at) IN ({hours:Array(DateTime('UTC'))})
GROUP BY hour, service, environment, route, provider, model
COMMENT 'Attempts of some hours, counted; columns as in attempts_by_hour; parameter hours'
