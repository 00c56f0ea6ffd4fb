CREATE MATERIALIZED VIEW IF NOT EXISTS annotations_mv TO annotations
AS
SELECT
    toDateTime64(Timestamp, 6, 'UTC') AS at,
    now64(6, 'UTC') AS received_at,
    SpanAttributes['farebox.annotation.kind'] AS kind,
    SpanAttributes['farebox.annotation.text'] AS text,
    SpanAttributes['farebox.route'] AS route,
    SpanAttributes['farebox.annotation.who'] AS who,
    ServiceName AS service,
    toFixedString(unhex(if(length(TraceId) = 32, TraceId, '')), 16) AS trace_id,
    toFixedString(unhex(if(length(SpanId) = 16, SpanId, '')), 8) AS span_id
FROM otel_traces
WHERE SpanName = 'farebox.annotation' AND ScopeName = 'farebox'
COMMENT 'Types the spans of farebox annotate'
