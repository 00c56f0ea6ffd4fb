-- Duplicates that came again with a start in another hour, where FINAL does not meet them. Very few.
CREATE TABLE IF NOT EXISTS moved_attempts
(
    hour DateTime('UTC') COMMENT 'Hour in which the duplicate stands',
    trace_id FixedString(16) COMMENT 'Trace id',
    span_id FixedString(8) COMMENT 'Span id'
)
ENGINE = ReplacingMergeTree
ORDER BY (hour, trace_id, span_id)
COMMENT 'Duplicates with a start in another hour than the first stored row; llm_attempts leaves them out'
