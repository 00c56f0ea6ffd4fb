-- What farebox says of itself in the applications: recorded, dropped, waiting, errors swallowed. Counts since the process began.
CREATE TABLE IF NOT EXISTS client_health
(
    reported_at DateTime64(6, 'UTC') COMMENT 'When the client reported it' CODEC(Delta(8), ZSTD(1)),
    received_at DateTime64(6, 'UTC') COMMENT 'When the ledger stored it' CODEC(Delta(8), ZSTD(1)),
    service LowCardinality(String) COMMENT 'service.name of the client',
    environment LowCardinality(String) COMMENT 'deployment.environment.name of the client; empty: it did not say',
    instance LowCardinality(String) COMMENT 'Random id of the client''s process',
    counts Map(LowCardinality(String), UInt64) COMMENT 'Counts by name, e.g. dropped; what is not a whole number is left out' CODEC(ZSTD(1)),
    trace_id FixedString(16) COMMENT 'Trace id of the report' CODEC(ZSTD(1)),
    span_id FixedString(8) COMMENT 'Span id of the report' CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(received_at)
ORDER BY (service, instance, reported_at, trace_id, span_id)
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'Health of farebox in the applications, one row a report'
