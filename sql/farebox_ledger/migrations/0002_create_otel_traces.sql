-- Spans as they arrive. The same columns as the OpenTelemetry Collector's ClickHouse exporter, so that either may write here.
CREATE TABLE IF NOT EXISTS otel_traces
(
    Timestamp DateTime64(9) COMMENT 'Start of the span, UTC' CODEC(Delta(8), ZSTD(1)),
    TraceId String COMMENT 'Trace id, 32 lower-case hex digits' CODEC(ZSTD(1)),
    SpanId String COMMENT 'Span id, 16 lower-case hex digits' CODEC(ZSTD(1)),
    ParentSpanId String COMMENT 'Span id of the parent; empty at the root' CODEC(ZSTD(1)),
    TraceState String COMMENT 'W3C trace state' CODEC(ZSTD(1)),
    SpanName LowCardinality(String) COMMENT 'Name of the span' CODEC(ZSTD(1)),
    SpanKind LowCardinality(String) COMMENT 'Internal, Server, Client, Producer, Consumer or Unspecified' CODEC(ZSTD(1)),
    ServiceName LowCardinality(String) COMMENT 'service.name of the resource' CODEC(ZSTD(1)),
    ResourceAttributes Map(LowCardinality(String), String) COMMENT 'Attributes of the resource, values as text' CODEC(ZSTD(1)),
    ScopeName String COMMENT 'Instrumentation scope; farebox for our own spans' CODEC(ZSTD(1)),
    ScopeVersion String COMMENT 'Version of the scope' CODEC(ZSTD(1)),
    SpanAttributes Map(LowCardinality(String), String) COMMENT 'Attributes of the span, values as text, arrays as JSON' CODEC(ZSTD(1)),
    Duration UInt64 COMMENT 'Length of the span in nanoseconds' CODEC(T64, ZSTD(1)),
    StatusCode LowCardinality(String) COMMENT 'Unset, Ok or Error' CODEC(ZSTD(1)),
    StatusMessage String COMMENT 'Text of the status' CODEC(ZSTD(1)),
    Events Nested
    (
        Timestamp DateTime64(9),
        Name LowCardinality(String),
        Attributes Map(LowCardinality(String), String)
    ) COMMENT 'Events of the span' CODEC(ZSTD(1)),
    Links Nested
    (
        TraceId String,
        SpanId String,
        TraceState String,
        Attributes Map(LowCardinality(String), String)
    ) COMMENT 'Links of the span to others' CODEC(ZSTD(1)),
    INDEX idx_trace_id TraceId TYPE bloom_filter(0.001) GRANULARITY 1
)
ENGINE = MergeTree
PARTITION BY toDate(Timestamp)
ORDER BY (ServiceName, SpanName, toDateTime(Timestamp))
SETTINGS ttl_only_drop_parts = 1, non_replicated_deduplication_window = 10000
COMMENT 'Spans as they arrived over OTLP; the ledger is made from them and does not need them afterwards'
