-- What do the calls and tasks that began in these hours add up to, by group?
INSERT INTO tasks_hourly
(
    by_tenant,
    tenant,
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
    by_tenant,
    tenant,
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
FROM task_sums(hours = {hours:Array(DateTime('UTC'))}, live = {hours:Array(DateTime('UTC'))}, since = toDateTime64('1970-01-01', 6, 'UTC'), until = toDateTime64('2106-01-01', 6, 'UTC'), levels = [0, 1])
