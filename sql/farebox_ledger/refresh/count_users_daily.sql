-- What did users cost on a day?
INSERT INTO users_daily
(
    day,
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
    toDate(hour) AS day,
    user_id,
    tenant,
    sum(users.attempts) AS attempts,
    sum(users.spend) AS spend,
    sum(users.no_price) AS no_price,
    sum(users.no_usage) AS no_usage,
    sum(users.partial) AS partial,
    {now:DateTime64(6, 'UTC')} AS rolled_at
FROM users_hourly AS users FINAL
WHERE hour >= toDateTime({day:Date}, 'UTC') AND hour < toDateTime({day:Date}, 'UTC') + INTERVAL 1 DAY
GROUP BY day, user_id, tenant
