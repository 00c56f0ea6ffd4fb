-- In which hour each pair of ids was first stored: what tells a duplicate that moved to another hour. Ids are random, so
-- granules are small: looking up a few must not read much.
CREATE TABLE IF NOT EXISTS attempt_hours
(
    span_id FixedString(8) COMMENT 'Span id' CODEC(NONE),
    trace_id FixedString(16) COMMENT 'Trace id' CODEC(NONE),
    hour DateTime('UTC') COMMENT 'Hour of started_at' CODEC(T64, ZSTD(1))
)
ENGINE = ReplacingMergeTree
ORDER BY (span_id, trace_id, hour)
SETTINGS index_granularity = 1024
COMMENT 'The hour in which each pair of ids counts, of all that a refresh has worked through'
