-- Reads farebox's own spans into typed columns. Names of attributes are those of farebox/semconv.py.
CREATE MATERIALIZED VIEW IF NOT EXISTS attempts_unpriced_mv TO attempts_unpriced
AS
WITH
    SpanAttributes AS a,
    1000000000 AS count_max,
    -- A count is a whole number from 0 to count_max; anything else is NULL here and named in unreadable.
    text -> if(length(text) <= 10 AND toUInt64OrNull(text) <= count_max, toUInt32OrNull(text), NULL) AS count_of,
    -- A duration is a finite number from 0 on.
    number -> if(isFinite(number) AND number >= 0, number, NULL) AS duration_of,
    text -> multiIf(startsWith(text, '['), JSONExtract(text, 'Array(String)'), text = '', [], [text]) AS list_of,
    mapFilter((key, value) -> startsWith(key, 'farebox.usage.'), a) AS usage,
    [
        'farebox.usage.uncached_input_tokens',
        'farebox.usage.cache_read_tokens',
        'farebox.usage.cache_write_5m_tokens',
        'farebox.usage.cache_write_1h_tokens',
        'farebox.usage.cache_write_unsplit_tokens',
        'farebox.usage.cache_write_30m_tokens',
        'farebox.usage.cache_write_12h_tokens',
        'farebox.usage.audio_input_tokens',
        'farebox.usage.image_input_tokens',
        'farebox.usage.output_tokens',
        'farebox.usage.audio_output_tokens',
        'farebox.usage.image_output_tokens',
        'farebox.usage.web_search_requests',
        'farebox.usage.web_fetch_requests'
    ] AS leaves,
    [
        'farebox.usage.state',
        'farebox.usage.reasoning_tokens',
        'farebox.usage.estimated_output_tokens',
        'farebox.usage.contradiction'
    ] AS not_leaves,
    length('farebox.usage.') + 1 AS leaf_at,
    ifNull(uncached_input_tokens, 0)
        + ifNull(cache_read_tokens, 0)
        + ifNull(cache_write_5m_tokens, 0)
        + ifNull(cache_write_1h_tokens, 0)
        + ifNull(cache_write_unsplit_tokens, 0)
        + ifNull(cache_write_30m_tokens, 0)
        + ifNull(cache_write_12h_tokens, 0)
        + ifNull(audio_input_tokens, 0)
        + ifNull(image_input_tokens, 0) AS input_parts,
    ifNull(output_tokens, 0) + ifNull(audio_output_tokens, 0) + ifNull(image_output_tokens, 0) AS output_parts,
    match(TraceId, '^[0-9a-fA-F]{32}$') AND match(SpanId, '^[0-9a-fA-F]{16}$') AS ids_valid,
    Timestamp < toDateTime64('2020-01-01 00:00:00', 9, 'UTC')
        OR Timestamp >= toDateTime64('2100-01-01 00:00:00', 9, 'UTC')
        OR Timestamp > now64(9, 'UTC') + INTERVAL 1 DAY AS impossible
SELECT
    if(impossible, toDateTime64('2020-01-01 00:00:00', 6, 'UTC'), toDateTime64(Timestamp, 6, 'UTC')) AS started_at,
    impossible AS clock_impossible,
    duration_of(ifNull(toFloat32OrNull(a['farebox.duration_ms']), toFloat32(Duration / 1000000))) AS duration_ms,
    duration_of(toFloat32OrNull(a['farebox.time_to_first_token_ms'])) AS ttft_ms,
    -- Ids that are none would make all their spans one: a hash of the span stands in.
    toFixedString(if(ids_valid, unhex(TraceId), sipHash128(TraceId, SpanId, Timestamp, SpanName, toString(a))), 16) AS trace_id,
    toFixedString(if(ids_valid, unhex(SpanId), substring(sipHash128(SpanId, TraceId, Timestamp), 1, 8)), 8) AS span_id,
    toFixedString(if(match(ParentSpanId, '^[0-9a-fA-F]{16}$'), unhex(ParentSpanId), ''), 8) AS parent_span_id,
    a['farebox.kind'] AS kind,
    if(a['farebox.call_id'] = '', lower(hex(span_id)), a['farebox.call_id']) AS call_id,
    toUInt16OrZero(a['farebox.attempt']) AS attempt,
    a['farebox.instance'] AS instance,
    toUInt64OrNull(a['farebox.seq']) AS seq,
    ServiceName AS service,
    ResourceAttributes['deployment.environment.name'] AS environment,
    if(a['farebox.route'] = '', 'default', a['farebox.route']) AS route,
    a['farebox.tenant'] AS tenant,
    a['farebox.user'] AS user_id,
    a['farebox.task'] AS task,
    a['farebox.prompt_version'] AS prompt_version,
    mapApply(
        (key, value) -> (substring(key, length('farebox.tag.') + 1), value),
        mapFilter((key, value) -> startsWith(key, 'farebox.tag.'), a)
    ) AS tags,
    if(a['farebox.provider'] = '', 'unknown', a['farebox.provider']) AS provider,
    a['server.address'] AS server_address,
    a['gen_ai.operation.name'] AS operation,
    a['gen_ai.request.model'] AS request_model,
    a['gen_ai.response.model'] AS response_model,
    a['gen_ai.response.id'] AS response_id,
    a['farebox.request_id'] AS request_id,
    a['farebox.service_tier'] AS service_tier,
    a['farebox.speed'] AS speed,
    a['farebox.region'] AS region,
    a['farebox.organization'] AS organization,
    a['farebox.workspace'] AS workspace,
    a['farebox.project'] AS project,
    a['farebox.key_fingerprint'] AS key_fingerprint,
    a['farebox.language'] AS language,
    a['farebox.script'] AS script,
    count_of(usage['farebox.usage.uncached_input_tokens']) AS uncached_input_tokens,
    count_of(usage['farebox.usage.cache_read_tokens']) AS cache_read_tokens,
    count_of(usage['farebox.usage.cache_write_5m_tokens']) AS cache_write_5m_tokens,
    count_of(usage['farebox.usage.cache_write_1h_tokens']) AS cache_write_1h_tokens,
    count_of(usage['farebox.usage.cache_write_unsplit_tokens']) AS cache_write_unsplit_tokens,
    count_of(usage['farebox.usage.cache_write_30m_tokens']) AS cache_write_30m_tokens,
    count_of(usage['farebox.usage.cache_write_12h_tokens']) AS cache_write_12h_tokens,
    count_of(usage['farebox.usage.audio_input_tokens']) AS audio_input_tokens,
    count_of(usage['farebox.usage.image_input_tokens']) AS image_input_tokens,
    count_of(usage['farebox.usage.output_tokens']) AS output_tokens,
    count_of(usage['farebox.usage.reasoning_tokens']) AS reasoning_tokens,
    count_of(usage['farebox.usage.audio_output_tokens']) AS audio_output_tokens,
    count_of(usage['farebox.usage.image_output_tokens']) AS image_output_tokens,
    count_of(usage['farebox.usage.web_search_requests']) AS web_search_requests,
    count_of(usage['farebox.usage.web_fetch_requests']) AS web_fetch_requests,
    count_of(usage['farebox.usage.estimated_output_tokens']) AS estimated_output_tokens,
    usage['farebox.usage.state'] AS usage_state,
    a['farebox.outcome'] AS outcome,
    toUInt16OrNull(a['http.response.status_code']) AS http_status,
    a['error.type'] AS error_type,
    arrayStringConcat(arrayDistinct(list_of(a['gen_ai.response.finish_reasons'])), ',') AS stop_reason,
    list_of(a['farebox.flags']) AS flags,
    list_of(a['farebox.checked']) AS checked,
    a['farebox.refusal.kind'] AS refusal_kind,
    count_of(a['farebox.unsupported_citations']) AS unsupported_citations,
    count_of(a['farebox.tool_calls']) AS tool_calls,
    count_of(a['farebox.tool_calls_malformed']) AS tool_calls_malformed,
    list_of(a['farebox.tool_names']) AS tool_names,
    list_of(a['farebox.malformed_tools']) AS malformed_tools,
    list_of(a['farebox.prefix.hashes']) AS prefix_hashes,
    JSONExtract(a['farebox.prefix.bytes'], 'Array(UInt32)') AS prefix_bytes,
    count_of(a['farebox.request.characters']) AS request_characters,
    count_of(a['farebox.response.characters']) AS response_characters,
    toDecimal128OrNull(a['farebox.reported_cost'], 12) AS reported_cost,
    mapApply(
        (key, value) -> (substring(key, leaf_at), value),
        mapFilter((key, value) -> value NOT IN ('', '0') AND NOT has(leaves, key) AND NOT has(not_leaves, key), usage)
    ) AS other_units,
    arrayMap(
        key -> substring(key, leaf_at),
        arrayFilter((key, value) -> has(leaves, key) AND count_of(value) IS NULL, mapKeys(usage), mapValues(usage))
    ) AS unreadable,
    -- The client says where parts exceed their whole; where it does not, the sums say it.
    multiIf(
        usage['farebox.usage.contradiction'] != '', usage['farebox.usage.contradiction'],
        input_parts > count_of(a['gen_ai.usage.input_tokens']),
            concat('parts of the input are ', toString(input_parts), ' tokens, above their total ', a['gen_ai.usage.input_tokens']),
        output_parts > count_of(a['gen_ai.usage.output_tokens']),
            concat('parts of the output are ', toString(output_parts), ' tokens, above their total ', a['gen_ai.usage.output_tokens']),
        reasoning_tokens > output_tokens,
            concat('reasoning is ', toString(reasoning_tokens), ' tokens, above the output of ', toString(output_tokens)),
        ''
    ) AS contradiction,
    cityHash64(Timestamp, Duration, a) AS content
FROM otel_traces
WHERE ScopeName = 'farebox' AND a['farebox.kind'] IN ('attempt', 'iteration', 'batch_result', 'background_result')
COMMENT 'Types farebox''s spans'
