-- Content of calls, where it is captured. The same columns as the OpenTelemetry Collector's ClickHouse exporter, so that either may write here.
CREATE TABLE IF NOT EXISTS otel_logs
(
    Timestamp DateTime64(9) COMMENT 'When it happened; of content, the end of the call, UTC' CODEC(Delta(8), ZSTD(1)),
    TimestampTime DateTime DEFAULT toDateTime(Timestamp) COMMENT 'Timestamp, to the second' CODEC(Delta(4), ZSTD(1)),
    TraceId String COMMENT 'Trace id of the span it belongs to, 32 lower-case hex digits' CODEC(ZSTD(1)),
    SpanId String COMMENT 'Span id of the span it belongs to, 16 lower-case hex digits' CODEC(ZSTD(1)),
    TraceFlags UInt8 COMMENT 'W3C trace flags',
    SeverityText LowCardinality(String) COMMENT 'Severity by name; of content empty' CODEC(ZSTD(1)),
    SeverityNumber UInt8 COMMENT 'Severity by number; of content 0',
    ServiceName LowCardinality(String) COMMENT 'service.name of the resource' CODEC(ZSTD(1)),
    Body String COMMENT 'Text of the record; of content empty, for it is in the attributes' CODEC(ZSTD(1)),
    ResourceSchemaUrl LowCardinality(String) COMMENT 'Schema of the resource' CODEC(ZSTD(1)),
    ResourceAttributes Map(LowCardinality(String), String) COMMENT 'Attributes of the resource, values as text' CODEC(ZSTD(1)),
    ScopeSchemaUrl LowCardinality(String) COMMENT 'Schema of the scope' CODEC(ZSTD(1)),
    ScopeName String COMMENT 'Instrumentation scope; farebox for content' CODEC(ZSTD(1)),
    ScopeVersion LowCardinality(String) COMMENT 'Version of the scope' CODEC(ZSTD(1)),
    ScopeAttributes Map(LowCardinality(String), String) COMMENT 'Attributes of the scope, values as text' CODEC(ZSTD(1)),
    LogAttributes Map(LowCardinality(String), String) COMMENT 'Attributes of the record, values as text, messages as JSON' CODEC(ZSTD(1)),
    EventName LowCardinality(String) COMMENT 'gen_ai.client.inference.operation.details of content' CODEC(ZSTD(1)),
    INDEX idx_trace_id TraceId TYPE bloom_filter(0.001) GRANULARITY 1
)
ENGINE = MergeTree
PARTITION BY toDate(Timestamp)
ORDER BY (ServiceName, TimestampTime, Timestamp)
TTL TimestampTime + INTERVAL 7 DAY
SETTINGS ttl_only_drop_parts = 1, non_replicated_deduplication_window = 10000
COMMENT 'Content of calls as it arrived over OTLP, for FAREBOX_CONTENT_DAYS: prompts, answers and tools, where farebox was told to capture them'
