-- What did users cost in these hours?
INSERT INTO users_hourly
(
    hour,
    user_id,
    tenant,
    attempts,
    spend,
    no_price,
    no_usage,
    partial,
    rolled_at
)
SELECT
    hour,
    user_id,
    tenant,
    attempts,
    spend,
    no_price,
    no_usage,
    partial,
    {now:DateTime64(6, 'UTC')} AS rolled_at
FROM user_sums(hours = {hours:Array(DateTime('UTC'))})
