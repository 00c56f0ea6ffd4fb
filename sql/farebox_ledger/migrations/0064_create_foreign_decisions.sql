CREATE TABLE IF NOT EXISTS foreign_decisions
(
    trace_id FixedString(16) COMMENT 'Trace id',
    span_id FixedString(8) COMMENT 'Span id',
    decision LowCardinality(String) COMMENT 'counts: nobody else reports this call; covered: farebox or another instrumentation does',
    because LowCardinality(String) COMMENT 'What it is covered by: response_id, trace (a related span) or instrumentation; empty if it counts',
    step UInt8 COMMENT '0 when it was decided, 1 once the ledger has it; the highest holds',
    decided_at DateTime64(6, 'UTC') COMMENT 'When it was decided'
)
ENGINE = ReplacingMergeTree(step)
ORDER BY (trace_id, span_id)
COMMENT 'Which spans of other instrumentations count'
