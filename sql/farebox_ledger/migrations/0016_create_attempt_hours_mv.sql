CREATE MATERIALIZED VIEW IF NOT EXISTS attempt_hours_mv TO attempt_hours
AS
SELECT
    span_id,
    trace_id,
    toStartOfHour(started_at) AS hour,
    version
FROM stored_attempts
COMMENT 'Notes the hour of every stored attempt'
