-- Tasks that span hours belong to the hour of their first call, with all their money. What each of their hours adds is
-- kept here, so that one hour can be counted without reading the others.
CREATE TABLE IF NOT EXISTS spanning_calls
(
    task_key UInt64 COMMENT 'Hash of the task, or of the call where there is none',
    hour DateTime('UTC') COMMENT 'Hour of these attempts',
    trace_id FixedString(16) COMMENT 'Trace id of the call',
    call_id String COMMENT 'Span id of the call''s first attempt, in hex',
    place Tuple(not_attempt UInt8, started_at DateTime64(6, 'UTC'), attempt UInt16, span_id FixedString(8)) COMMENT 'What orders attempts of a call: the first one''s',
    task String COMMENT 'Task; empty: the call is a task of its own',
    route LowCardinality(String) COMMENT 'Route of the first of these attempts',
    model LowCardinality(String) COMMENT 'Model of the first of these attempts',
    provider LowCardinality(String) COMMENT 'Provider of the first of these attempts',
    started_at DateTime64(6, 'UTC') COMMENT 'When the first of these attempts began',
    attempts UInt64 COMMENT 'Number of attempts',
    succeeded UInt8 COMMENT '1 if one of them is good',
    known_cost Nullable(Decimal(38, 12)) COMMENT 'USD of those whose cost is known; NULL: of none',
    unpriced UInt64 COMMENT 'Those whose cost is not known',
    partial UInt64 COMMENT 'Those of whose cost a lower bound is known',
    rolled_at DateTime64(6, 'UTC') COMMENT 'When it was counted; the latest holds'
)
ENGINE = ReplacingMergeTree(rolled_at)
ORDER BY (task_key, hour, trace_id, call_id)
SETTINGS index_granularity = 1024
COMMENT 'What each hour adds to the calls of tasks that span hours'
