-- What some hours add to each call. An iteration is billed beside its attempt and says nothing of success.
CREATE OR REPLACE VIEW call_parts
AS
WITH
    kind != 'iteration' AS is_attempt,
    (NOT is_attempt, llm_attempts.started_at, llm_attempts.attempt, llm_attempts.span_id) AS each_place
SELECT
    if(llm_attempts.task = '', sipHash64(trace_id, call_id), sipHash64(llm_attempts.task)) AS task_key,
    toStartOfHour(llm_attempts.started_at) AS hour,
    trace_id,
    call_id,
    min(each_place) AS place,
    argMin(llm_attempts.task, each_place) AS task,
    argMin(llm_attempts.route, each_place) AS route,
    argMin(llm_attempts.model, each_place) AS model,
    argMin(llm_attempts.provider, each_place) AS provider,
    argMin(llm_attempts.tenant, each_place) AS tenant,
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
