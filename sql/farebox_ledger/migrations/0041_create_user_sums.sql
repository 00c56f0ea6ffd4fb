CREATE VIEW IF NOT EXISTS user_sums
AS
SELECT
    toStartOfHour(started_at) AS hour,
    user_id,
    tenant,
    countIf(kind != 'iteration') AS attempts,
    sum(list_cost) AS spend,
    countIf(price_state = 'no_price') AS no_price,
    countIf(price_state = 'no_usage') AS no_usage,
    countIf(price_state = 'partial') AS partial
FROM llm_attempts
WHERE toStartOfHour(started_at) IN ({hours:Array(DateTime('UTC'))})
GROUP BY hour, user_id, tenant
COMMENT 'What users cost in some hours; columns as in users_by_hour; parameter hours'
