-- Spans of others that count already, and of whose call farebox's own span came only now, in some parts of arrivals.
CREATE VIEW IF NOT EXISTS covered_late
AS
WITH
    own AS
    (
        SELECT trace_id, span_id, parent_span_id, response_id, started_at
        FROM stored_attempts
        WHERE (toStartOfHour(started_at), trace_id, span_id) IN
        (
            SELECT hour, trace_id, span_id
            FROM arrivals
            WHERE _part IN {parts:Array(String)} AND version > 0
        )
            AND (trace_id, span_id) NOT IN (SELECT trace_id, span_id FROM foreign_decisions)
    ),
    others AS
    (
        SELECT trace_id, span_id, parent_span_id, response_id, started_at, duration_ms, task, call_id
        FROM foreign_spans
        WHERE trace_id IN (SELECT trace_id FROM own)
            OR (response_id != '' AND response_id IN (SELECT response_id FROM own))
        ORDER BY received_at
        LIMIT 1 BY trace_id, span_id
    )
SELECT
    toStartOfHour(others.started_at) AS hour,
    trace_id,
    span_id,
    if(task = '', sipHash64(trace_id, call_id), sipHash64(task)) AS task_key,
    if(response_id != '' AND response_id IN (SELECT response_id FROM own), 'response_id', 'trace') AS because
FROM others
WHERE (trace_id, span_id) IN (SELECT trace_id, span_id FROM foreign_decisions FINAL WHERE decision = 'counts')
    AND (
        (response_id != '' AND response_id IN (SELECT response_id FROM own))
        OR (trace_id, span_id) IN (SELECT trace_id, parent_span_id FROM own)
        OR (trace_id, parent_span_id) IN (SELECT trace_id, span_id FROM own)
        OR (trace_id, span_id) IN
        (
            SELECT between.trace_id, between.parent_span_id
            FROM foreign_spans AS between
            INNER JOIN own ON own.trace_id = between.trace_id AND own.parent_span_id = between.span_id
        )
        OR (trace_id, span_id) IN
        (
            SELECT others.trace_id, others.span_id
            FROM others
            INNER JOIN own ON own.trace_id = others.trace_id AND own.parent_span_id = others.parent_span_id
            WHERE others.parent_span_id != toFixedString('', 8)
                AND own.started_at >= others.started_at - INTERVAL 1 SECOND
                AND own.started_at <= addMicroseconds(others.started_at, toInt64(1000 * ifNull(others.duration_ms, 0))) + INTERVAL 1 SECOND
        )
    )
COMMENT 'Spans of others that count although farebox has reported their call since; parameter parts: parts of arrivals'
