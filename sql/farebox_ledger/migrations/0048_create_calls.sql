-- A call is what the application asked for once; its attempts are what that took. It belongs to the route of its first
-- attempt, and succeeded if one of its attempts is good. It reads the whole ledger: for a period ask calls_begun.
CREATE VIEW IF NOT EXISTS calls
(
    trace_id FixedString(16) COMMENT 'Trace id of its attempts',
    call_id String COMMENT 'Span id of the first attempt, in hex',
    task String COMMENT 'Task it is part of; empty: it is a task of its own',
    route String COMMENT 'Route of the first attempt',
    model String COMMENT 'Model of the first attempt',
    provider String COMMENT 'Provider of the first attempt',
    started_at DateTime64(6, 'UTC') COMMENT 'When the first attempt began',
    attempts UInt64 COMMENT 'Number of attempts',
    succeeded UInt8 COMMENT '1 if one of its attempts is good',
    known_cost Nullable(Decimal(38, 12)) COMMENT 'USD of the attempts whose cost is known, a lower bound if unpriced or partial is above 0; NULL: of none',
    unpriced UInt64 COMMENT 'Attempts whose cost is not known',
    partial UInt64 COMMENT 'Attempts of whose cost a lower bound is known'
)
AS
WITH
    kind != 'iteration' AS is_attempt, -- an iteration is billed beside its attempt and says nothing of success
    (NOT is_attempt, llm_attempts.started_at, llm_attempts.attempt, llm_attempts.span_id) AS place
SELECT
    trace_id,
    call_id,
    argMin(llm_attempts.task, place) AS task,
    argMin(llm_attempts.route, place) AS route,
    argMin(llm_attempts.model, place) AS model,
    argMin(llm_attempts.provider, place) AS provider,
    min(llm_attempts.started_at) AS started_at,
    countIf(is_attempt) AS attempts,
    max(is_attempt AND good) AS succeeded,
    sum(list_cost) AS known_cost,
    countIf(list_cost IS NULL) AS unpriced,
    countIf(price_state = 'partial') AS partial
FROM llm_attempts
GROUP BY trace_id, call_id
COMMENT 'One row a call: where it began, whether it succeeded, what is known of its cost'
