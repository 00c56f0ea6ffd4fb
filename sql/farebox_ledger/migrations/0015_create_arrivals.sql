-- What was stored and has not been worked through by a refresh: small, and empty when a ledger rests. Whoever holds the
-- store works it through part by part and drops the parts. Every figure is exact meanwhile: hours that arrivals touch are
-- counted anew from llm_attempts, all others come from the rollups. A row gets here after its attempt is in stored_attempts.
CREATE TABLE IF NOT EXISTS arrivals
(
    hour DateTime('UTC') COMMENT 'Hour of started_at; 1970-01-01 for what an application reports of a task later',
    task_key UInt64 COMMENT 'Hash of the task, or of the call where there is none',
    span_id FixedString(8) COMMENT 'Span id; zeros for what is no attempt',
    trace_id FixedString(16) COMMENT 'Trace id',
    version UInt64 COMMENT 'Version of the stored row; 0 for what is no attempt',
    content UInt64 COMMENT 'Hash of the span as it came',
    started_at DateTime64(6, 'UTC') COMMENT 'When the attempt began',
    received_at DateTime64(6, 'UTC') COMMENT 'When the ledger stored it',
    service LowCardinality(String) COMMENT 'service.name of the client',
    route LowCardinality(String) COMMENT 'Route of the attempt',
    provider LowCardinality(String) COMMENT 'Who bills',
    model LowCardinality(String) COMMENT 'Canonical model',
    outcome LowCardinality(String) COMMENT 'How it ended',
    usage_state LowCardinality(String) COMMENT 'As in llm_attempts',
    uncached_input_tokens Nullable(UInt32) COMMENT 'As in llm_attempts; NULL: not reported, unreadable or absurd',
    output_tokens Nullable(UInt32) COMMENT 'As in llm_attempts; NULL: not reported, unreadable or absurd',
    list_cost Nullable(Decimal(38, 12)) COMMENT 'USD it would have cost; NULL: not known',
    price_state LowCardinality(String) COMMENT 'As in llm_attempts'
)
ENGINE = MergeTree
ORDER BY (hour, task_key)
SETTINGS non_replicated_deduplication_window = 10000, max_bytes_to_merge_at_max_space_in_pool = 50000000
COMMENT 'Stored attempts that no refresh has worked through yet; a refresh drops them part by part'
