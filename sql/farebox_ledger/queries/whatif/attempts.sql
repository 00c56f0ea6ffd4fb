-- Which attempts were made on a route, or in tasks that were there too, or by a model of a provider, and what did each use? One
-- row an attempt of a kind that costs tokens, the latest {limit}; tokens, bytes of the prompt at its boundaries, USD: NULL
-- list_cost means not known, see usage_state. Passes that are billed beside an attempt (iterations) are none.
SELECT
    if(task = '', concat('call:', lower(hex(trace_id)), ':', call_id), task) AS task,
    lower(hex(trace_id)) AS trace_id,
    call_id,
    attempt,
    toUnixTimestamp64Micro(started_at) AS started_us,
    toUInt32(1000 * least(ifNull(coalesce(ttft_ms, duration_ms), 0), 4000000)) AS first_byte_us,
    route,
    provider,
    model,
    instance,
    script,
    outcome,
    usage_state,
    good,
    input_tokens,
    uncached_input_tokens AS uncached,
    cache_read_tokens AS cache_read,
    cache_write_5m_tokens AS write_5m,
    cache_write_1h_tokens AS write_1h,
    ifNull(cache_write_unsplit_tokens, 0) + ifNull(cache_write_30m_tokens, 0) + ifNull(cache_write_12h_tokens, 0) AS write_other,
    output_tokens AS output,
    reasoning_tokens AS reasoning,
    list_cost,
    request_characters AS characters,
    prefix_hashes AS hashes,
    prefix_bytes AS sizes,
    arrayMap(each -> toString(each), flags) AS flags,
    arrayMap(each -> toString(each), checked) AS checked
FROM llm_attempts
WHERE started_at >= {since:DateTime64(6, 'UTC')} AND started_at < {until:DateTime64(6, 'UTC')}
    AND kind != 'iteration'
    AND operation IN ('chat', 'text_completion', 'generate_content', 'responses')
    AND ({model:String} = '' OR llm_attempts.model = {model:String})
    AND ({provider:String} = '' OR llm_attempts.provider = {provider:String})
    AND
    (
        {route:String} = ''
        OR llm_attempts.route = {route:String}
        OR (
            llm_attempts.task != ''
            AND llm_attempts.task IN
            (
                SELECT task
                FROM llm_attempts
                WHERE route = {route:String} AND task != ''
                    AND started_at >= {since:DateTime64(6, 'UTC')} AND started_at < {until:DateTime64(6, 'UTC')}
            )
        )
    )
ORDER BY started_at DESC, trace_id, span_id
LIMIT {limit:UInt32}
