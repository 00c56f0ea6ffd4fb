-- Reads the spans of farebox.outcome(). A report without a task is none.
CREATE MATERIALIZED VIEW IF NOT EXISTS task_outcomes_mv TO task_outcomes
AS
WITH
    SpanAttributes AS a,
    toDecimal64OrNull(a['farebox.human_minutes'], 6) AS minutes
SELECT
    a['farebox.task'] AS task,
    sipHash64(task) AS task_key,
    toDateTime64(Timestamp, 6, 'UTC') AS reported_at,
    transform(lower(a['farebox.success']), ['true', 'false'], [true, false], NULL) AS success,
    if(minutes >= 0, minutes, NULL) AS human_minutes,
    ServiceName AS service,
    toFixedString(unhex(if(length(TraceId) = 32, TraceId, '')), 16) AS trace_id,
    toFixedString(unhex(if(length(SpanId) = 16, SpanId, '')), 8) AS span_id,
    now64(6, 'UTC') AS received_at
FROM otel_traces
WHERE SpanName = 'farebox.outcome' AND ScopeName = 'farebox' AND a['farebox.task'] != ''
COMMENT 'Types the reports of farebox.outcome()'
