-- What do the calls and tasks that began in these hours add up to, by group?
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
    calls,
    failed,
    tasks,
    successes,
    spend,
    human_spend,
    human_unpriced,
    unpriced,
    partial,
    {now:DateTime64(6, 'UTC')} AS rolled_at
FROM task_sums(hours = {hours:Array(DateTime('UTC'))}, live = {hours:Array(DateTime('UTC'))})
