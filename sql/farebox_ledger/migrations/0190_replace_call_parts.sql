-- What some hours add to each call. An iteration is billed beside its attempt and says nothing of success. Attempts of a call
-- are ordered by a number that says the same as `place`: comparing tuples took most of the time.
CREATE OR REPLACE VIEW call_parts
AS
WITH
    kind != 'iteration' AS is_attempt,
    bitOr(
        bitShiftLeft(
            toUInt256(bitOr(bitShiftLeft(toUInt128(toUnixTimestamp64Micro(llm_attempts.started_at)), 16), toUInt128(llm_attempts.attempt)))
                + if(is_attempt, toUInt256(0), bitShiftLeft(toUInt256(1), 80)),
            64
        ),
        toUInt256(reinterpretAsUInt64(reverse(llm_attempts.span_id)))
    ) AS rank
SELECT
    if(llm_attempts.task = '', sipHash64(trace_id, call_id), sipHash64(llm_attempts.task)) AS task_key,
    toStartOfHour(llm_attempts.started_at) AS hour,
    trace_id,
    call_id,
    argMin((NOT is_attempt, llm_attempts.started_at, llm_attempts.attempt, llm_attempts.span_id), rank) AS place,
    argMin(llm_attempts.task, rank) AS task,
    argMin(llm_attempts.route, rank) AS route,
    argMin(llm_attempts.model, rank) AS model,
    argMin(llm_attempts.provider, rank) AS provider,
    argMin(llm_attempts.tenant, rank) AS tenant,
    min(llm_attempts.started_at) AS started_at,
    countIf(is_attempt) AS attempts,
    max(is_attempt AND good) AS succeeded,
    maxIf(llm_attempts.attempt, is_attempt AND good) AS good_attempt,
    maxIf(llm_attempts.started_at, is_attempt AND good) AS good_at,
    sum(list_cost) AS known_cost,
    countIf(list_cost IS NULL) AS unpriced,
    countIf(price_state = 'partial') AS partial
FROM llm_attempts
WHERE toStartOfHour(llm_attempts.started_at) IN ({hours:Array(DateTime('UTC'))})
GROUP BY task_key, hour, trace_id, call_id
COMMENT 'What some hours add to each call; parameter hours'
