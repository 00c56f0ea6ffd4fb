-- Attempts of a period that the dashboard's variables let through, with what they cost. A row is an hour and group, read
-- from the rollup; or one attempt, in hours that the period cuts off, where a tenant is chosen, and everywhere if @fine.
(
    WITH
        toDateTime64(@since, 3, 'UTC') AS since,
        toDateTime64(@until, 3, 'UTC') AS until,
        toStartOfHour(since + INTERVAL 3599999 MILLISECOND) AS first_hour,
        toStartOfHour(until) AS last_hour,
        @all(tenant) AND NOT (@fine) AS by_hour
    SELECT
        toDateTime64(hour, 6, 'UTC') AS moment,
        route,
        provider,
        model,
        attempts,
        good_attempts,
        spend,
        spend_input,
        spend_cache_read,
        spend_cache_write,
        spend_output,
        spend_tools,
        no_price,
        no_usage,
        partial,
        known_input_tokens,
        cached_tokens,
        cache_written_tokens,
        output_tokens,
        reasoning_tokens
    FROM attempts_by_hour
    WHERE by_hour AND hour >= first_hour AND hour < last_hour AND @chosen(route) AND @chosen(provider) AND @chosen(model)
    UNION ALL
    SELECT
        started_at AS moment,
        route,
        provider,
        model,
        toUInt64(kind != 'iteration') AS attempts,
        toUInt64(kind != 'iteration' AND good) AS good_attempts,
        list_cost AS spend,
        cost_input AS spend_input,
        cost_cache_read AS spend_cache_read,
        cost_cache_write AS spend_cache_write,
        cost_output AS spend_output,
        cost_tools AS spend_tools,
        toUInt64(price_state = 'no_price') AS no_price,
        toUInt64(price_state = 'no_usage') AS no_usage,
        toUInt64(price_state = 'partial') AS partial,
        ifNull(input_tokens, 0) AS known_input_tokens,
        if(input_tokens IS NULL, 0, toUInt64(ifNull(cache_read_tokens, 0))) AS cached_tokens,
        toUInt64(ifNull(cache_write_5m_tokens, 0)) + ifNull(cache_write_1h_tokens, 0) + ifNull(cache_write_unsplit_tokens, 0)
            + ifNull(cache_write_30m_tokens, 0) + ifNull(cache_write_12h_tokens, 0) AS cache_written_tokens,
        toUInt64(ifNull(llm_attempts.output_tokens, 0)) + ifNull(audio_output_tokens, 0) + ifNull(image_output_tokens, 0) AS output_tokens,
        toUInt64(ifNull(llm_attempts.reasoning_tokens, 0)) AS reasoning_tokens
    FROM llm_attempts
    WHERE started_at >= since AND started_at < until AND (NOT by_hour OR started_at < first_hour OR started_at >= last_hour)
        AND @chosen(route) AND @chosen(provider) AND @chosen(model) AND @chosen(tenant)
)
