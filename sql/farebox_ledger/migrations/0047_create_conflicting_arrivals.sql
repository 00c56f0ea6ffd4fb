CREATE VIEW IF NOT EXISTS conflicting_arrivals
AS
WITH
    fresh AS
    (
        SELECT *
        FROM arrivals
        WHERE (empty({parts:Array(String)}) OR _part IN {parts:Array(String)})
            AND version BETWEEN 1 AND 9223372036854775807
    ),
    first_ones AS
    (
        SELECT span_id, trace_id, argMax(content, met.version) AS first_content
        FROM
        (
            SELECT span_id, trace_id, content, version
            FROM fresh
            UNION ALL
            SELECT span_id, trace_id, content, 18446744073709551615 AS version
            FROM stored_attempts FINAL
            WHERE (toStartOfHour(started_at), trace_id, span_id) IN
            (
                SELECT hour, trace_id, span_id
                FROM attempt_hours
                WHERE (span_id, trace_id) IN (SELECT span_id, trace_id FROM fresh)
            )
        ) AS met
        GROUP BY span_id, trace_id
        HAVING uniqExact(content) > 1
    )
SELECT
    fresh.trace_id AS trace_id,
    fresh.span_id AS span_id,
    fresh.content AS content,
    fresh.started_at AS started_at,
    fresh.received_at AS received_at,
    fresh.service AS service,
    fresh.route AS route,
    fresh.provider AS provider,
    fresh.model AS model,
    fresh.outcome AS outcome,
    fresh.usage_state AS usage_state,
    fresh.uncached_input_tokens AS uncached_input_tokens,
    fresh.output_tokens AS output_tokens,
    fresh.list_cost AS list_cost,
    fresh.price_state AS price_state
FROM fresh
INNER JOIN first_ones USING (span_id, trace_id)
WHERE fresh.content != first_content
COMMENT 'Arrivals with the ids of an earlier span and other content; parameter parts: names of parts of arrivals, none for all'
