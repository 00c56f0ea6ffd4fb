CREATE MATERIALIZED VIEW IF NOT EXISTS client_health_mv TO client_health
AS
WITH 'farebox.health.' AS prefix
SELECT
    toDateTime64(Timestamp, 6, 'UTC') AS reported_at,
    now64(6, 'UTC') AS received_at,
    ServiceName AS service,
    ResourceAttributes['deployment.environment.name'] AS environment,
    SpanAttributes['farebox.instance'] AS instance,
    mapApply(
        (key, value) -> (substring(key, length(prefix) + 1), toUInt64OrZero(value)),
        mapFilter((key, value) -> startsWith(key, prefix) AND toUInt64OrNull(value) IS NOT NULL, SpanAttributes)
    ) AS counts,
    toFixedString(unhex(if(length(TraceId) = 32, TraceId, '')), 16) AS trace_id,
    toFixedString(unhex(if(length(SpanId) = 16, SpanId, '')), 8) AS span_id
FROM otel_traces
WHERE SpanName = 'farebox.health' AND ScopeName = 'farebox'
COMMENT 'Types the reports of clients'' health'
