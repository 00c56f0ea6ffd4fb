-- Which of the spans that others reported count? One is covered if a span of farebox has its response id, or is its child,
-- its parent, a child of its child, or beside it under the same parent at the same time; or if another instrumentation
-- reports the same call nearer to the wire, or first.
INSERT INTO foreign_decisions (trace_id, span_id, decision, because, step, decided_at)
WITH
    due AS
    (
        SELECT trace_id, span_id, parent_span_id, response_id, started_at, duration_ms, scope
        FROM foreign_spans
        WHERE received_at >= {since:DateTime64(6, 'UTC')}
            AND received_at < {until:DateTime64(6, 'UTC')}
            AND (trace_id, span_id) NOT IN
            (
                SELECT trace_id, span_id
                FROM foreign_decisions
                WHERE (trace_id, span_id) IN
                (
                    SELECT trace_id, span_id
                    FROM foreign_spans
                    WHERE received_at >= {since:DateTime64(6, 'UTC')} AND received_at < {until:DateTime64(6, 'UTC')}
                )
            )
        ORDER BY received_at
        LIMIT 1 BY trace_id, span_id
    ),
    -- Others of about the same time, the due ones among them.
    others AS
    (
        SELECT trace_id, span_id, parent_span_id, response_id, started_at, scope
        FROM foreign_spans
        WHERE received_at >= {since:DateTime64(6, 'UTC')} - INTERVAL 1 HOUR
    ),
    -- Spans of farebox from the hours around. What is foreign in the ledger is left out.
    own AS
    (
        SELECT trace_id, span_id, parent_span_id, response_id, started_at
        FROM stored_attempts
        WHERE toStartOfHour(started_at) IN
        (
            SELECT arrayJoin([toStartOfHour(started_at), toStartOfHour(started_at) - INTERVAL 1 HOUR, toStartOfHour(started_at) + INTERVAL 1 HOUR])
            FROM due
        )
            AND (trace_id, span_id) NOT IN (SELECT trace_id, span_id FROM others)
            AND (trace_id, span_id) NOT IN (SELECT trace_id, span_id FROM foreign_decisions)
    ),
    beside AS
    (
        SELECT due.trace_id AS trace_id, due.span_id AS span_id
        FROM due
        INNER JOIN own USING (trace_id, parent_span_id)
        WHERE own.started_at >= due.started_at - INTERVAL 1 SECOND
            AND own.started_at <= addMicroseconds(due.started_at, toInt64(1000 * ifNull(due.duration_ms, 0))) + INTERVAL 1 SECOND
            AND parent_span_id != toFixedString('', 8)
    ),
    grandchildren AS
    (
        SELECT others.trace_id AS trace_id, others.parent_span_id AS span_id
        FROM others
        INNER JOIN own ON own.trace_id = others.trace_id AND own.parent_span_id = others.span_id
    )
SELECT
    trace_id,
    span_id,
    if(because = '', 'counts', 'covered') AS decision,
    multiIf(
        response_id != '' AND response_id IN (SELECT response_id FROM own), 'response_id',
        (trace_id, span_id) IN (SELECT trace_id, parent_span_id FROM own)
            OR (trace_id, parent_span_id) IN (SELECT trace_id, span_id FROM own)
            OR (trace_id, span_id) IN (SELECT trace_id, span_id FROM beside)
            OR (trace_id, span_id) IN (SELECT trace_id, span_id FROM grandchildren), 'trace',
        (trace_id, span_id) IN (SELECT trace_id, parent_span_id FROM others), 'instrumentation',
        response_id != '' AND (trace_id, span_id) NOT IN
        (
            SELECT argMin(tuple(trace_id, span_id), (has_child, undecided, started_at, span_id)).1, argMin(tuple(trace_id, span_id), (has_child, undecided, started_at, span_id)).2
            FROM
            (
                SELECT
                    trace_id,
                    span_id,
                    response_id,
                    started_at,
                    (trace_id, span_id) IN (SELECT trace_id, parent_span_id FROM others) AS has_child,
                    (trace_id, span_id) NOT IN (SELECT trace_id, span_id FROM foreign_decisions WHERE decision = 'counts') AS undecided
                FROM others
                WHERE response_id != ''
            )
            GROUP BY response_id
        ), 'instrumentation',
        ''
    ) AS because,
    0 AS step,
    now64(6, 'UTC') AS decided_at
FROM due
