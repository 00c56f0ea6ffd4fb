-- A row of each task and a row of each of its calls, which may have begun in other hours and on other routes; added up.
CREATE OR REPLACE VIEW task_sums
AS
WITH
    0 AS nothing,
    arrayMap(
        each -> (each.1, each.2, each.3, each.4, each.5, 1, toUInt64(NOT each.6), nothing, nothing, NULL, NULL, nothing, nothing, nothing),
        each_call
    ) AS of_calls,
    [(
        tasks_touching.started_at,
        tasks_touching.tenant,
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
    arrayJoin({levels:Array(UInt8)}) AS by_tenant,
    arrayJoin(arrayFilter(
        each -> toStartOfHour(each.1) IN ({hours:Array(DateTime('UTC'))})
            AND each.1 >= {since:DateTime64(6, 'UTC')}
            AND each.1 < {until:DateTime64(6, 'UTC')},
        arrayConcat(of_calls, of_task)
    )) AS row
SELECT
    by_tenant,
    if(by_tenant, row.2, '') AS tenant,
    toStartOfHour(row.1) AS hour,
    row.3 AS route,
    row.4 AS provider,
    row.5 AS model,
    sum(row.6) AS calls,
    sum(row.7) AS failed,
    sum(row.8) AS tasks,
    sum(row.9) AS successes,
    sum(row.10) AS spend,
    sum(row.11) AS human_spend,
    sum(row.12) AS human_unpriced,
    sum(row.13) AS unpriced,
    sum(row.14) AS partial
FROM tasks_touching(hours = {hours:Array(DateTime('UTC'))}, live = {live:Array(DateTime('UTC'))}) AS tasks_touching
GROUP BY by_tenant, tenant, hour, route, provider, model
COMMENT 'Calls and tasks that began in some hours, within a period, counted; columns as in tasks_between; parameters hours, live, since, until and levels (of them 0: all tenants together, 1: each by itself)'
