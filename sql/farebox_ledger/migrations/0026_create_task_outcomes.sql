-- What the application says of a task later: farebox.outcome(), or an import.
CREATE TABLE IF NOT EXISTS task_outcomes
(
    task String COMMENT 'Name of the task' CODEC(ZSTD(1)),
    task_key UInt64 COMMENT 'Hash of the task' CODEC(ZSTD(1)),
    reported_at DateTime64(6, 'UTC') COMMENT 'When the application reported it; the latest report holds' CODEC(Delta(8), ZSTD(1)),
    success Nullable(Bool) COMMENT 'Whether the task succeeded; NULL: this report does not say' CODEC(ZSTD(1)),
    human_minutes Nullable(Decimal(18, 6)) COMMENT 'Minutes of a person''s work on the task; NULL: this report does not say' CODEC(ZSTD(1)),
    service LowCardinality(String) COMMENT 'service.name of the application',
    trace_id FixedString(16) COMMENT 'Trace id of the report' CODEC(ZSTD(1)),
    span_id FixedString(8) COMMENT 'Span id of the report' CODEC(ZSTD(1)),
    received_at DateTime64(6, 'UTC') COMMENT 'When the ledger stored it' CODEC(Delta(8), ZSTD(1))
)
ENGINE = ReplacingMergeTree
ORDER BY (task_key, task, reported_at, trace_id, span_id)
SETTINGS index_granularity = 1024, non_replicated_deduplication_window = 10000
COMMENT 'What applications reported of tasks; of several reports of a task the latest that says it holds'
