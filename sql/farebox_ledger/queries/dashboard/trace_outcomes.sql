-- What did the application say became of the task? Its reports, the latest first; of each question the latest that says something
-- holds. Minutes of a person's work; empty: this report does not say.
SELECT
    reported_at AS `reported`,
    task AS `task`,
    multiIf(success IS NULL, '', success, 'succeeded', 'failed') AS `outcome`,
    toFloat64(human_minutes) AS `human minutes`,
    toString(service) AS `service`
FROM task_outcomes FINAL
WHERE task IN (SELECT task FROM @traced() WHERE task != '')
ORDER BY reported_at DESC, span_id
LIMIT 50
