-- What was used in these hours, by row of the price?
INSERT INTO units_hourly
(
    hour,
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
    longest_lag,
    rolled_at
)
SELECT
    moment AS hour,
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
    longest_lag,
    {now:DateTime64(6, 'UTC')} AS rolled_at
FROM unit_sums(
    hours = {hours:Array(DateTime('UTC'))}, since = toDateTime64('1970-01-01', 6, 'UTC'), until = toDateTime64('2106-01-01', 6, 'UTC'),
    by_tenant = 0, step_s = 3600
)
