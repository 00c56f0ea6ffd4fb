-- A row of each task and a row of each of its calls, which may have begun in other hours and on other routes; added up.
CREATE VIEW IF NOT EXISTS task_sums
AS
WITH
    0 AS nothing,
    arrayMap(
        each -> (each.1, each.2, each.3, each.4, 1, toUInt64(NOT each.5), nothing, nothing, NULL, NULL, nothing, nothing, nothing),
        each_call
    ) AS of_calls,
    [(
        toStartOfHour(tasks_touching.started_at),
        tasks_touching.route,
        tasks_touching.provider,
        tasks_touching.model,
        nothing,
        nothing,
        1,
        toUInt64(tasks_touching.succeeded),
        known_cost,
        human_cost,
        toUInt64(ifNull(human_minutes, 0) > 0 AND human_cost IS NULL),
        tasks_touching.unpriced,
        tasks_touching.partial
    )] AS of_task,
    arrayJoin(arrayConcat(of_calls, of_task)) AS row
SELECT
    row.1 AS hour,
    row.2 AS route,
    row.3 AS provider,
    row.4 AS model,
    sum(row.5) AS calls,
    sum(row.6) AS failed,
    sum(row.7) AS tasks,
    sum(row.8) AS successes,
    sum(row.9) AS spend,
    sum(row.10) AS human_spend,
    sum(row.11) AS human_unpriced,
    sum(row.12) AS unpriced,
    sum(row.13) AS partial
FROM tasks_touching(hours = {hours:Array(DateTime('UTC'))}, live = {live:Array(DateTime('UTC'))}) AS tasks_touching
WHERE row.1 IN ({hours:Array(DateTime('UTC'))})
GROUP BY hour, route, provider, model
COMMENT 'Calls and tasks that began in some hours, counted; columns as in tasks_by_hour; parameters hours and live'
