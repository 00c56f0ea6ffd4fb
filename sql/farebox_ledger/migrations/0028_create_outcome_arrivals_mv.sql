CREATE MATERIALIZED VIEW IF NOT EXISTS outcome_arrivals_mv TO arrivals
AS
SELECT
    toDateTime(0, 'UTC') AS hour,
    task_key,
    received_at
FROM task_outcomes
COMMENT 'Notes every task of which something was reported for the next refresh'
