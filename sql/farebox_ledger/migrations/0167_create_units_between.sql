-- Units used in any period: whole hours from the rollup, hours that are dirty or cut off counted now, and all of them by tenant
-- or where steps are no whole hours.
CREATE VIEW IF NOT EXISTS units_between
AS
WITH
    toStartOfHour({since:DateTime64(6, 'UTC')}) AS since_hour,
    toStartOfHour({until:DateTime64(6, 'UTC')}) AS last_hour,
    since_hour + if(since_hour = {since:DateTime64(6, 'UTC')}, 0, 3600) AS first_hour,
    {step_s:UInt32} % 3600 != 0 OR {by_tenant:UInt8} = 1 AS fine,
    (SELECT hours FROM dirty_hours) AS dirty,
    (
        SELECT if(
            fine,
            arrayMap(each -> toDateTime(since_hour + each * 3600, 'UTC'), range(if(fine, toUInt32(intDiv(last_hour - since_hour, 3600) + 1), 0))),
            arrayDistinct(arrayConcat(
                arrayFilter(each -> each >= first_hour AND each < last_hour, dirty),
                if(since_hour = first_hour, [], [since_hour]),
                if(last_hour = {until:DateTime64(6, 'UTC')}, [], [last_hour])
            ))
        )
    ) AS counted_now
SELECT
    '' AS tenant,
    hour AS moment,
    route,
    provider,
    model,
    price_id,
    rows,
    priced,
    doubtful,
    cached,
    cached_doubtful,
    spend_priced,
    units,
    lags,
    longest_lag
FROM units_hourly FINAL
WHERE NOT fine AND hour >= first_hour AND hour < last_hour AND hour NOT IN (dirty) AND rows > 0
UNION ALL
SELECT
    tenant,
    moment,
    route,
    provider,
    model,
    price_id,
    rows,
    priced,
    doubtful,
    cached,
    cached_doubtful,
    spend_priced,
    units,
    lags,
    longest_lag
FROM unit_sums(
    hours = counted_now, since = {since:DateTime64(6, 'UTC')}, until = {until:DateTime64(6, 'UTC')}, by_tenant = {by_tenant:UInt8},
    step_s = {step_s:UInt32}
)
COMMENT 'Units used in a period by step, row of the price and group: exact at every moment, and fast for all tenants together; columns as in units_hourly; parameters since, until, by_tenant (1: each tenant by itself, else 0) and step_s (3600, or seconds that are no whole hours, for short periods)'
