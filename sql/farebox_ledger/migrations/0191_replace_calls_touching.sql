-- Whole calls: all calls of the tasks that have an attempt in some hours. What happened in live hours is counted now, what
-- tasks did in other hours is kept in spanning_calls. Every dirty hour that matters must be live. Parts are ordered by a number that
-- says the same as `place`: comparing tuples took most of the time.
CREATE OR REPLACE VIEW calls_touching
AS
WITH
    bitOr(
        bitShiftLeft(
            toUInt256(bitOr(bitShiftLeft(toUInt128(toUnixTimestamp64Micro(parts.place.2)), 16), toUInt128(parts.place.3)))
                + if(parts.place.1, bitShiftLeft(toUInt256(1), 80), toUInt256(0)),
            64
        ),
        toUInt256(reinterpretAsUInt64(reverse(parts.place.4)))
    ) AS rank
SELECT
    trace_id,
    call_id,
    argMin(parts.task, rank) AS task,
    argMin(parts.route, rank) AS route,
    argMin(parts.model, rank) AS model,
    argMin(parts.provider, rank) AS provider,
    argMin(parts.tenant, rank) AS tenant,
    min(parts.started_at) AS started_at,
    sum(parts.attempts) AS attempts,
    max(parts.succeeded) AS succeeded,
    sum(parts.known_cost) AS known_cost,
    sum(parts.unpriced) AS unpriced,
    sum(parts.partial) AS partial
FROM
(
    SELECT
        task_key,
        hour,
        trace_id,
        call_id,
        place,
        task,
        route,
        model,
        provider,
        tenant,
        started_at,
        attempts,
        succeeded,
        known_cost,
        unpriced,
        partial
    FROM call_parts(hours = {live:Array(DateTime('UTC'))})
    UNION ALL
    SELECT
        task_key,
        hour,
        trace_id,
        call_id,
        place,
        task,
        route,
        model,
        provider,
        tenant,
        started_at,
        attempts,
        succeeded,
        known_cost,
        unpriced,
        partial
    FROM spanning_calls FINAL
    WHERE hour NOT IN ({live:Array(DateTime('UTC'))})
        AND task_key IN
        (
            SELECT if(task = '', sipHash64(trace_id, call_id), sipHash64(task))
            FROM stored_attempts
            WHERE toStartOfHour(started_at) IN ({hours:Array(DateTime('UTC'))})
        )
) AS parts
GROUP BY trace_id, call_id
COMMENT 'All calls of the tasks with an attempt in some hours, whole; parameters hours and live'
