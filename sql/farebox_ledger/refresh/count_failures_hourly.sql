-- Which attempts of these hours failed, how, and what made them good?
INSERT INTO failures_hourly
(
    by_tenant,
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
    doubtful,
    rolled_at
)
SELECT
    by_tenant,
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
    doubtful,
    {now:DateTime64(6, 'UTC')} AS rolled_at
FROM failure_sums(hours = {hours:Array(DateTime('UTC'))}, live = {hours:Array(DateTime('UTC'))}, since = toDateTime64('1970-01-01', 6, 'UTC'), until = toDateTime64('2106-01-01', 6, 'UTC'), levels = [0, 1])
