-- Calls that other instrumentations report. One counts unless farebox, or another of them, reports the same call; a refresh
-- decides that after a few minutes, by which time all reports of a call are here, and lets those that count into the ledger.
CREATE TABLE IF NOT EXISTS foreign_spans
(
    received_at DateTime64(6, 'UTC') COMMENT 'When the ledger stored it' CODEC(Delta(8), ZSTD(1)),
    scope LowCardinality(String) COMMENT 'Instrumentation scope that reports it',
    started_at DateTime64(6, 'UTC') COMMENT 'When the attempt began; 2020-01-01 where clock_impossible',
    clock_impossible Bool COMMENT 'True: the span''s own time was before 2020, after 2099 or over a day after received_at, and started_at is not it',
    duration_ms Nullable(Float32) COMMENT 'Milliseconds from sending to the end of the response; NULL: the span did not say' CODEC(ZSTD(1)),
    trace_id FixedString(16) COMMENT 'Trace id; with span_id the key, of equal ones the first stored row counts' CODEC(ZSTD(1)),
    span_id FixedString(8) COMMENT 'Span id' CODEC(ZSTD(1)),
    parent_span_id FixedString(8) COMMENT 'Span id of the caller''s span; zeros: none' CODEC(ZSTD(1)),
    kind LowCardinality(String) COMMENT 'attempt (one HTTP request), iteration, batch_result or background_result',
    call_id String COMMENT 'Span id of the first attempt of the same call, in hex' CODEC(ZSTD(1)),
    service LowCardinality(String) COMMENT 'service.name of the client',
    environment LowCardinality(String) COMMENT 'deployment.environment.name of the client; empty: it did not say',
    route LowCardinality(String) COMMENT 'Tag route; default when the application set none',
    tenant LowCardinality(String) COMMENT 'Tag tenant; empty: none set',
    user_id String COMMENT 'Tag user, or its hash; empty: none set' CODEC(ZSTD(1)),
    task String COMMENT 'Tag task: the unit of success; empty: the call is a task of its own' CODEC(ZSTD(1)),
    provider LowCardinality(String) COMMENT 'Who bills: anthropic, openai, azure, bedrock … self_hosted, unknown',
    server_address LowCardinality(String) COMMENT 'Host that was asked',
    operation LowCardinality(String) COMMENT 'chat, text_completion, embeddings, count_tokens …',
    request_model LowCardinality(String) COMMENT 'Model as asked for; empty: the request named none',
    response_model LowCardinality(String) COMMENT 'Model as answered; empty: no response said',
    response_id String COMMENT 'The provider''s id of the response; empty: none came' CODEC(ZSTD(1)),
    request_id String COMMENT 'The provider''s id of the request, for disputes; empty: none came' CODEC(ZSTD(1)),
    service_tier LowCardinality(String) COMMENT 'Service tier of the response; empty: it named none',
    region LowCardinality(String) COMMENT 'Region or geography that served it; empty: not known',
    organization LowCardinality(String) COMMENT 'Organization at the provider; empty: not known',
    workspace LowCardinality(String) COMMENT 'Workspace at the provider; empty: not known',
    uncached_input_tokens Nullable(UInt32) COMMENT 'Input tokens at full price; NULL: not reported, unreadable or absurd' CODEC(ZSTD(1)),
    cache_read_tokens Nullable(UInt32) COMMENT 'Input tokens read from the provider''s cache; NULL: not reported, unreadable or absurd' CODEC(ZSTD(1)),
    cache_write_5m_tokens Nullable(UInt32) COMMENT 'Input tokens written to the cache for 5 minutes; NULL: not reported, unreadable or absurd' CODEC(ZSTD(1)),
    cache_write_1h_tokens Nullable(UInt32) COMMENT 'Input tokens written to the cache for 1 hour; NULL: not reported, unreadable or absurd' CODEC(ZSTD(1)),
    cache_write_unsplit_tokens Nullable(UInt32) COMMENT 'Input tokens written to the cache for a time the provider did not name; NULL: not reported, unreadable or absurd' CODEC(ZSTD(1)),
    output_tokens Nullable(UInt32) COMMENT 'Output tokens, reasoning among them, audio and images not; NULL: not reported, unreadable or absurd' CODEC(ZSTD(1)),
    reasoning_tokens Nullable(UInt32) COMMENT 'Reasoning tokens, inside output_tokens; NULL: not reported, unreadable or absurd' CODEC(ZSTD(1)),
    usage_state LowCardinality(String) COMMENT 'reported, partial (cut: what was seen), missing (may have been billed) or none (refused before work)',
    outcome LowCardinality(String) COMMENT 'ok, client_error, rate_limited, overloaded, server_error, timeout, connection_error, cancelled, abandoned or stream_error',
    http_status Nullable(UInt16) COMMENT 'HTTP status; NULL: no response came' CODEC(ZSTD(1)),
    error_type LowCardinality(String) COMMENT 'Type of the error; empty: none',
    stop_reason LowCardinality(String) COMMENT 'Why the model stopped, several joined by commas; empty: no response said',
    unreadable Array(String) COMMENT 'Usage counts that are not whole numbers from 0 to 10^9' CODEC(ZSTD(1)),
    contradiction String COMMENT 'Where parts of the usage exceed their whole, the sentence that says so; empty: nowhere' CODEC(ZSTD(1)),
    content UInt64 COMMENT 'Hash of the span as it came: tells a copy from a span with the same ids and other content'
)
ENGINE = MergeTree
PARTITION BY toDate(received_at)
ORDER BY (received_at, trace_id, span_id)
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'Calls reported by other instrumentations than farebox, copies among them; foreign_attempts says what became of them'
