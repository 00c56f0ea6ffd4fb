-- In which hour each pair of ids was stored, and how early: what tells a duplicate that moved to another hour.
CREATE TABLE IF NOT EXISTS attempt_hours
(
    span_id FixedString(8) COMMENT 'Span id' CODEC(ZSTD(1)),
    trace_id FixedString(16) COMMENT 'Trace id' CODEC(ZSTD(1)),
    hour DateTime('UTC') COMMENT 'Hour of started_at' CODEC(ZSTD(1)),
    version SimpleAggregateFunction(max, UInt64) COMMENT 'Version of the first row stored in this hour' CODEC(ZSTD(1))
)
ENGINE = AggregatingMergeTree
ORDER BY (span_id, trace_id, hour)
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'The hours in which each pair of ids was stored'
