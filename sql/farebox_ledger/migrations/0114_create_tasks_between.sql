-- Calls and tasks that began in any period, with all that became of them: whole hours from the rollup, hours that are dirty
-- or cut off counted now.
CREATE VIEW IF NOT EXISTS tasks_between
AS
WITH
    toStartOfHour({since:DateTime64(6, 'UTC')}) AS since_hour,
    toStartOfHour({until:DateTime64(6, 'UTC')}) AS last_hour,
    since_hour + if(since_hour = {since:DateTime64(6, 'UTC')}, 0, 3600) AS first_hour,
    (SELECT hours FROM dirty_hours) AS dirty,
    (
        SELECT arrayDistinct(arrayConcat(
            arrayFilter(each -> each >= first_hour AND each < last_hour, dirty),
            if(since_hour = first_hour, [], [since_hour]),
            if(last_hour = {until:DateTime64(6, 'UTC')}, [], [last_hour])
        ))
    ) AS counted_now,
    (SELECT arrayDistinct(arrayConcat(counted_now, dirty))) AS live
SELECT
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
    partial
FROM tasks_hourly FINAL
WHERE by_tenant = {by_tenant:UInt8} AND hour >= first_hour AND hour < last_hour AND hour NOT IN (dirty) AND calls + tasks > 0
UNION ALL
SELECT
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
    partial
FROM task_sums(hours = counted_now, live = live, since = {since:DateTime64(6, 'UTC')}, until = {until:DateTime64(6, 'UTC')}, levels = [{by_tenant:UInt8}])
COMMENT 'Calls and tasks that began in a period, by the hour and the group of the first attempt: exact at every moment, and fast; columns as in tasks_hourly; parameters since, until and by_tenant (1: each tenant by itself, else 0)'
