-- What attempts add up to of money, tokens and counts alone: the part of attempt_sums that most panels show. ClickHouse plans
-- a statement with every column of every view in it, so a view of few columns is planned in a third of the time.
CREATE VIEW IF NOT EXISTS amount_sums
AS
WITH
    arrayJoin({levels:Array(UInt8)}) AS by_tenant,
    kind != 'iteration' AS is_attempt,
    toUInt64(ifNull(cache_write_5m_tokens, 0)) + ifNull(cache_write_1h_tokens, 0) + ifNull(cache_write_unsplit_tokens, 0)
        + ifNull(cache_write_30m_tokens, 0) + ifNull(cache_write_12h_tokens, 0) AS written,
    is_attempt AND has(checked, 'tool_call_malformed') AND ifNull(llm_attempts.tool_calls_malformed <= llm_attempts.tool_calls, 0) AS is_countable
SELECT
    by_tenant,
    if(by_tenant, llm_attempts.tenant, '') AS tenant,
    toStartOfInterval(started_at, toIntervalSecond({step_s:UInt32})) AS moment,
    llm_attempts.route AS route,
    llm_attempts.provider AS provider,
    llm_attempts.model AS model,
    llm_attempts.outcome AS outcome,
    llm_attempts.price_state AS price_state,
    llm_attempts.price_reason AS price_reason,
    llm_attempts.price_id AS price_id,
    countIf(is_attempt) AS attempts,
    countIf(is_attempt AND llm_attempts.outcome = 'ok') AS ended_ok,
    countIf(is_attempt AND good) AS good_attempts,
    sum(list_cost) AS spend,
    sum(cost_input) AS spend_input,
    sum(cost_cache_read) AS spend_cache_read,
    sum(cost_cache_write) AS spend_cache_write,
    sum(cost_output) AS spend_output,
    sum(cost_tools) AS spend_tools,
    max(list_cost) AS dearest,
    countIf(llm_attempts.price_state = 'no_price') AS no_price,
    countIf(llm_attempts.price_state = 'no_usage') AS no_usage,
    countIf(llm_attempts.price_state = 'partial') AS partial,
    ifNull(sum(input_tokens), 0) AS known_input_tokens,
    ifNull(sumIf(cache_read_tokens, input_tokens IS NOT NULL), 0) AS cached_tokens,
    sum(written) AS cache_written_tokens,
    countIf(ifNull(cache_read_tokens, 0) + written > 0) AS rows_cached,
    sum(ifNull(llm_attempts.output_tokens, 0) + ifNull(audio_output_tokens, 0) + ifNull(image_output_tokens, 0)) AS output_tokens,
    ifNull(sum(llm_attempts.reasoning_tokens), 0) AS reasoning_tokens,
    ifNull(sumIf(llm_attempts.tool_calls, is_countable), 0) AS tool_calls_checked,
    ifNull(sumIf(llm_attempts.tool_calls_malformed, is_countable), 0) AS tool_calls_malformed
FROM llm_attempts
WHERE toStartOfHour(started_at) IN ({hours:Array(DateTime('UTC'))})
    AND started_at >= {since:DateTime64(6, 'UTC')}
    AND started_at < {until:DateTime64(6, 'UTC')}
GROUP BY by_tenant, tenant, moment, route, provider, model, outcome, price_state, price_reason, price_id
COMMENT 'Money, tokens and counts of attempts of some hours within a period; columns as in amounts_between; parameters hours, since, until, levels and step_s as of attempt_sums'
