-- What `farebox up` says of itself, a row a minute: whether telemetry is taken, stored, late or refused. Counts are of the minute,
-- so that sums over any time are right; the journal, its age and memory are as they are at the minute's end.
CREATE TABLE IF NOT EXISTS collector_health
(
    minute DateTime('UTC') COMMENT 'When the minute began, by the collector''s clock' CODEC(Delta(4), ZSTD(1)),
    instance LowCardinality(String) COMMENT 'Random id of the collector''s process',
    host LowCardinality(String) COMMENT 'Name of the machine it runs on',
    version LowCardinality(String) COMMENT 'Version of farebox',
    seconds Float32 COMMENT 'Seconds that the row covers: 60, less before a stop, more where the process was held up',
    requests UInt64 COMMENT 'OTLP requests, over HTTP and gRPC',
    requests_refused UInt64 COMMENT 'Requests refused for good: malformed, too large, not authorised',
    requests_deferred UInt64 COMMENT 'Requests asked to come back: journal full or not writable, too much in work',
    spans_received UInt64 COMMENT 'Spans in requests that were understood, rejected ones and duplicates among them',
    spans_stored UInt64 COMMENT 'Spans that went into otel_traces',
    spans_duplicate UInt64 COMMENT 'Received spans whose ids had come before, as far as the collector remembers; the ledger counts them once',
    spans_rejected UInt64 COMMENT 'Spans without usable ids or beyond a limit; their senders were told',
    spans_quarantined UInt64 COMMENT 'Acknowledged spans that ClickHouse can never take; they are kept in the quarantine folder',
    log_records_received UInt64 COMMENT 'Log records of farebox''s own scope, which hold content where it is captured',
    log_records_stored UInt64 COMMENT 'Log records that went into otel_logs',
    log_records_quarantined UInt64 COMMENT 'Acknowledged log records that ClickHouse can never take',
    acknowledge_ms_p99 Nullable(Float32) COMMENT '99th percentile of milliseconds from a whole request to its answer; NULL: no request came',
    journal_bytes UInt64 COMMENT 'Bytes on disk that are acknowledged and not stored yet',
    journal_segments UInt32 COMMENT 'Files of the journal that are not stored yet',
    journal_age_s Float32 COMMENT 'Seconds since the oldest of them was acknowledged; 0: none waits',
    journal_damaged UInt64 COMMENT 'Pieces of journal files that were damaged or cut off and could not be read back',
    lag_s Nullable(Float32) COMMENT 'Longest time in seconds from acknowledged to stored; NULL: nothing was stored',
    inserts UInt64 COMMENT 'Inserts that succeeded',
    insert_failures UInt64 COMMENT 'Times that the store could not take rows; they were kept and tried again',
    insert_s Float64 COMMENT 'Seconds spent inserting',
    insert_ms_max Nullable(Float32) COMMENT 'Longest insert in milliseconds; NULL: there was none',
    engine_memory_bytes UInt64 COMMENT 'Memory that the ClickHouse asked for it says it uses',
    process_memory_bytes UInt64 COMMENT 'Resident memory of the collector''s process, an embedded ClickHouse included'
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(minute)
ORDER BY (minute, instance)
TTL minute + INTERVAL 400 DAY
SETTINGS non_replicated_deduplication_window = 1000
COMMENT 'Health of farebox up itself, one row a minute and process; kept for 400 days'
