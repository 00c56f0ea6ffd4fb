-- Reads the conventions of others: OpenTelemetry's GenAI names, old and new, those of OpenLLMetry and OpenLIT, OpenInference's,
-- and those of the Anthropic SDK's own spans. By the conventions input_tokens holds cache reads and writes; OpenLIT's of
-- Anthropic does not. Only inference counts: an agent's span repeats what its calls say.
-- Source: opentelemetry.io GenAI spans, anthropic 2.12 _tracing.py, OpenInference semantic conventions, read 2026-11-23.
CREATE MATERIALIZED VIEW IF NOT EXISTS foreign_spans_mv TO foreign_spans
AS
WITH
    1000000000 AS count_max,
    text -> if(length(text) <= 10 AND toUInt64OrNull(text) <= count_max, toUInt32OrNull(text), NULL) AS count_of,
    texts AS
    (
        SELECT
            *,
            SpanAttributes AS a,
            arrayFirst(text -> text != '', [a['gen_ai.usage.input_tokens'], a['gen_ai.usage.prompt_tokens'], a['llm.token_count.prompt'], a['llm.usage.prompt_tokens']]) AS input_text,
            arrayFirst(text -> text != '', [a['gen_ai.usage.output_tokens'], a['gen_ai.usage.completion_tokens'], a['llm.token_count.completion'], a['llm.usage.completion_tokens']]) AS output_text,
            arrayFirst(text -> text != '', [a['gen_ai.usage.cache_read.input_tokens'], a['gen_ai.usage.cache_read_input_tokens'], a['gen_ai.usage.cache_read_tokens'], a['llm.token_count.prompt_details.cache_read']]) AS read_text,
            arrayFirst(text -> text != '', [a['gen_ai.usage.cache_write.input_tokens'], a['gen_ai.usage.cache_creation.input_tokens'], a['gen_ai.usage.cache_creation_input_tokens'], a['gen_ai.usage.cache_write_tokens'], a['gen_ai.usage.cache_write_input_tokens'], a['llm.token_count.prompt_details.cache_write']]) AS write_text,
            a['anthropic.usage.cache_creation.ephemeral_5m_input_tokens'] AS write_5m_text,
            a['anthropic.usage.cache_creation.ephemeral_1h_input_tokens'] AS write_1h_text,
            arrayFirst(text -> text != '', [a['gen_ai.usage.reasoning.output_tokens'], a['gen_ai.usage.reasoning_tokens'], a['llm.token_count.completion_details.reasoning']]) AS reasoning_text,
            arrayFirst(text -> text != '', [a['gen_ai.request.model'], a['llm.model_name'], a['llm.request.model']]) AS asked,
            arrayFirst(text -> text != '', [a['gen_ai.response.model'], a['llm.response.model']]) AS answered,
            lower(arrayFirst(text -> text != '', [a['gen_ai.provider.name'], a['gen_ai.system'], a['llm.provider'], a['llm.system']])) AS system,
            lower(a['server.address']) AS host,
            lower(multiIf(
                a['gen_ai.operation.name'] != '', a['gen_ai.operation.name'],
                a['llm.request.type'] != '', a['llm.request.type'],
                transform(a['openinference.span.kind'], ['LLM', 'EMBEDDING'], ['chat', 'embeddings'], '')
            )) AS said_operation,
            toUInt16OrNull(a['http.response.status_code']) AS status
        FROM otel_traces
        WHERE ScopeName != 'farebox'
            AND (
                SpanAttributes['gen_ai.operation.name'] != ''
                OR SpanAttributes['llm.request.type'] != ''
                OR SpanAttributes['openinference.span.kind'] IN ('LLM', 'EMBEDDING')
            )
    ),
    counted AS
    (
        SELECT
            *,
            transform(
                said_operation,
                ['completion', 'embedding', 'generate_content', 'responses'],
                ['text_completion', 'embeddings', 'chat', 'chat'],
                said_operation
            ) AS operation,
            -- Who bills is known by the host that was asked; a client of OpenAI's SDK asks many.
            multiIf(
                endsWith(host, 'fireworks.ai'), 'fireworks',
                match(host, 'together\\.(xyz|ai)$'), 'together',
                endsWith(host, 'openrouter.ai'), 'openrouter',
                match(host, '(dashscope.*|\\.)aliyuncs\\.com$'), 'alibaba',
                endsWith(host, 'deepseek.com'), 'deepseek',
                endsWith(host, 'groq.com'), 'groq',
                endsWith(host, 'mistral.ai'), 'mistral',
                endsWith(host, 'api.x.ai'), 'xai',
                match(host, '(openai\\.azure\\.com|cognitiveservices\\.azure\\.com|services\\.ai\\.azure\\.com)$'), 'azure',
                match(host, 'bedrock.*amazonaws\\.com$'), 'bedrock',
                endsWith(host, 'aiplatform.googleapis.com'), 'vertex',
                match(host, '^(localhost|127\\.|10\\.|192\\.168\\.|172\\.(1[6-9]|2[0-9]|3[01])\\.|\\[?::1)'), 'self_hosted',
                system = 'openai' AND host NOT IN ('', 'api.openai.com') AND NOT endsWith(host, '.api.openai.com'), 'unknown',
                transform(
                    system,
                    ['azure.ai.openai', 'azure.ai.inference', 'az.ai.openai', 'aws.bedrock', 'aws_bedrock', 'gcp.vertex_ai', 'vertexai', 'vertex_ai', 'gcp.gemini', 'gcp.gen_ai', 'gemini', 'mistral_ai', 'mistralai', 'x_ai', ''],
                    ['azure', 'azure', 'azure', 'bedrock', 'bedrock', 'vertex', 'vertex', 'vertex', 'google', 'google', 'google', 'mistral', 'mistral', 'xai', 'unknown'],
                    system
                )
            ) AS provider,
            count_of(input_text) AS input,
            count_of(output_text) AS output,
            count_of(read_text) AS cache_read,
            count_of(write_text) AS cache_write,
            ifNull(count_of(write_5m_text), 0) AS write_5m,
            ifNull(count_of(write_1h_text), 0) AS write_1h,
            toInt64(ifNull(cache_read, 0)) + ifNull(cache_write, 0) AS cached,
            startsWith(ScopeName, 'openlit') AND provider = 'anthropic' AS input_excludes_caches
        FROM texts
        WHERE said_operation IN ('chat', 'completion', 'text_completion', 'generate_content', 'responses', 'embedding', 'embeddings')
    ),
    doubted AS
    (
        SELECT
            *,
            multiIf(
                NOT input_excludes_caches AND cached > input, concat('cached tokens ', toString(cached), ' exceed input_tokens ', toString(input)),
                write_5m + write_1h > ifNull(cache_write, 0), concat('cache writes ', toString(write_5m), ' and ', toString(write_1h), ' exceed their sum ', toString(ifNull(cache_write, 0))),
                ''
            ) AS doubt,
            Timestamp < toDateTime64('2020-01-01 00:00:00', 9, 'UTC')
                OR Timestamp >= toDateTime64('2100-01-01 00:00:00', 9, 'UTC')
                OR Timestamp > now64(9, 'UTC') + INTERVAL 1 DAY AS impossible
        FROM counted
    )
SELECT
    now64(6, 'UTC') AS received_at,
    ScopeName AS scope,
    if(impossible, toDateTime64('2020-01-01 00:00:00', 6, 'UTC'), toDateTime64(Timestamp, 6, 'UTC')) AS started_at,
    impossible AS clock_impossible,
    toFloat32(Duration / 1000000) AS duration_ms,
    toFixedString(unhex(TraceId), 16) AS trace_id,
    toFixedString(unhex(SpanId), 8) AS span_id,
    toFixedString(if(match(ParentSpanId, '^[0-9a-fA-F]{16}$'), unhex(ParentSpanId), ''), 8) AS parent_span_id,
    'attempt' AS kind,
    lower(SpanId) AS call_id,
    ServiceName AS service,
    ResourceAttributes['deployment.environment.name'] AS environment,
    if(a['farebox.route'] = '', 'default', a['farebox.route']) AS route,
    a['farebox.tenant'] AS tenant,
    arrayFirst(text -> text != '', [a['farebox.user'], a['user.id'], a['enduser.id'], a['traceloop.association.properties.user_id']]) AS user_id,
    a['farebox.task'] AS task,
    provider,
    host AS server_address,
    operation,
    asked AS request_model,
    answered AS response_model,
    a['gen_ai.response.id'] AS response_id,
    a['anthropic.request.id'] AS request_id,
    arrayFirst(text -> text != '', [a['anthropic.response.service_tier'], a['openai.response.service_tier'], a['gen_ai.openai.response.service_tier']]) AS service_tier,
    '' AS region,
    a['anthropic.organization.id'] AS organization,
    a['anthropic.workspace.id'] AS workspace,
    if(doubt != '', NULL, if(input_excludes_caches, input, if(cached > input, NULL, toUInt32(input - cached)))) AS uncached_input_tokens,
    cache_read AS cache_read_tokens,
    if(write_5m_text = '', NULL, write_5m) AS cache_write_5m_tokens,
    if(write_1h_text = '', NULL, write_1h) AS cache_write_1h_tokens,
    if(doubt != '', NULL, toUInt32(cache_write - write_5m - write_1h)) AS cache_write_unsplit_tokens,
    output AS output_tokens,
    count_of(reasoning_text) AS reasoning_tokens,
    multiIf(
        input_text != '' OR output_text != '', 'reported',
        status >= 400, 'none',
        'missing'
    ) AS usage_state,
    multiIf(
        status = 429, 'rate_limited',
        status IN (503, 529), 'overloaded',
        status >= 500, 'server_error',
        status >= 400, 'client_error',
        StatusCode != 'Error' AND a['error.type'] = '', 'ok',
        match(lower(a['error.type']), 'timeout'), 'timeout',
        output IS NOT NULL, 'stream_error',
        'connection_error'
    ) AS outcome,
    status AS http_status,
    a['error.type'] AS error_type,
    multiIf(
        a['anthropic.message.stop_reason'] != '', a['anthropic.message.stop_reason'],
        startsWith(a['gen_ai.response.finish_reasons'], '['),
            arrayStringConcat(arrayDistinct(JSONExtract(a['gen_ai.response.finish_reasons'], 'Array(String)')), ','),
        a['gen_ai.response.finish_reasons']
    ) AS stop_reason,
    arrayFilter(
        (name, text, count) -> text != '' AND count IS NULL,
        ['input_tokens', 'output_tokens', 'cache_read_tokens', 'cache_write_tokens'],
        [input_text, output_text, read_text, write_text],
        [input, output, cache_read, cache_write]
    ) AS unreadable,
    doubt AS contradiction,
    cityHash64(Timestamp, Duration, a) AS content
FROM doubted
WHERE match(TraceId, '^[0-9a-fA-F]{32}$') AND match(SpanId, '^[0-9a-fA-F]{16}$')
COMMENT 'Types the spans of other instrumentations'
