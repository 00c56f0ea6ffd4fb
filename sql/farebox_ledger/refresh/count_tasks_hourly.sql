-- What do the calls and tasks that began in these hours add up to, by group? A group that has none any more, because its
-- tasks turned out to have begun in another hour, is counted as nothing.
INSERT INTO tasks_hourly
(
    hour,
    route,
    provider,
    model,
    calls,
    failed,
    tasks,
    successes,
    spend,
    human_spend,
    human_unpriced,
    unpriced,
    partial,
    rolled_at
)
SELECT
    hour,
    route,
    provider,
    model,
    sum(counted.calls) AS calls,
    sum(counted.failed) AS failed,
    sum(counted.tasks) AS tasks,
    sum(counted.successes) AS successes,
    sum(counted.spend) AS spend,
    sum(counted.human_spend) AS human_spend,
    sum(counted.human_unpriced) AS human_unpriced,
    sum(counted.unpriced) AS unpriced,
    sum(counted.partial) AS partial,
    now64(6, 'UTC') AS rolled_at
FROM
(
    SELECT
        hour,
        route,
        provider,
        model,
        calls,
        failed,
        tasks,
        successes,
        spend,
        human_spend,
        human_unpriced,
        unpriced,
        partial
    FROM task_sums(hours = {hours:Array(DateTime('UTC'))}, live = {hours:Array(DateTime('UTC'))})
    UNION ALL
    SELECT
        hour,
        route,
        provider,
        model,
        0 AS calls,
        0 AS failed,
        0 AS tasks,
        0 AS successes,
        NULL AS spend,
        NULL AS human_spend,
        0 AS human_unpriced,
        0 AS unpriced,
        0 AS partial
    FROM tasks_hourly
    WHERE hour IN {hours:Array(DateTime('UTC'))}
) AS counted
GROUP BY hour, route, provider, model
