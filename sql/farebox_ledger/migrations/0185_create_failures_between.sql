-- Failed attempts of any period and what became of them since, also after its end: whole hours from the rollup, hours that are
-- dirty or cut off counted now.
CREATE VIEW IF NOT EXISTS failures_between
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
    class,
    failed,
    by_retry,
    by_call,
    spend,
    doubtful
FROM failures_hourly FINAL
WHERE by_tenant = {by_tenant:UInt8} AND hour >= first_hour AND hour < last_hour AND hour NOT IN (dirty) AND failed > 0
UNION ALL
SELECT
    tenant,
    hour,
    route,
    provider,
    model,
    class,
    failed,
    by_retry,
    by_call,
    spend,
    doubtful
FROM failure_sums(hours = counted_now, live = live, since = {since:DateTime64(6, 'UTC')}, until = {until:DateTime64(6, 'UTC')}, levels = [{by_tenant:UInt8}])
COMMENT 'Failed attempts that began in a period, by hour and how they failed, and how many of them a later attempt of the same call or task made good, whenever it came: exact at every moment, and fast; columns as in failures_hourly; parameters since, until and by_tenant (1: each tenant by itself, else 0)'
