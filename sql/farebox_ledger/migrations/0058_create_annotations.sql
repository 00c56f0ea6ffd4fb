-- What people mark on the axis of time: a deployment, an incident, a new prompt.
CREATE TABLE IF NOT EXISTS annotations
(
    at DateTime64(6, 'UTC') COMMENT 'Moment that is marked',
    received_at DateTime64(6, 'UTC') COMMENT 'When the ledger stored it',
    kind LowCardinality(String) COMMENT 'Kind, e.g. deploy; empty: not said',
    text String COMMENT 'What people read',
    route LowCardinality(String) COMMENT 'Route it is about; empty: all',
    who String COMMENT 'Who marked it; empty: not said',
    service LowCardinality(String) COMMENT 'service.name of what marked it',
    trace_id FixedString(16) COMMENT 'Trace id of the mark',
    span_id FixedString(8) COMMENT 'Span id of the mark'
)
ENGINE = ReplacingMergeTree
ORDER BY (at, trace_id, span_id)
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'Marks on the axis of time, one row a mark'
