-- What did farebox up take, store, and turn away over time? Spans an interval: received, stored, copies dropped (their ids had come
-- before), refused for good, put in quarantine. Nothing where a stock OpenTelemetry Collector feeds the ledger.
SELECT
    toStartOfInterval(minute, toIntervalSecond($__interval_s)) AS time,
    sum(spans_received) AS `received`,
    sum(spans_stored) AS `stored`,
    sum(spans_duplicate) AS `copies dropped`,
    sum(spans_rejected) AS `refused`,
    sum(spans_quarantined) AS `in quarantine`
FROM collector_health
WHERE minute >= $__fromTime_ms AND minute < $__toTime_ms
GROUP BY time
ORDER BY time
