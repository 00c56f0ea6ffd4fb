-- Which users cost most in the period? USD; spend is what is known, so at least that much if no_price, no_usage or partial
-- (attempts) is above 0, and NULL if nothing is. Hours that the period only begins or ends in are counted whole; whole days
-- come from users_by_day.
WITH
    toDate({since:DateTime64(6, 'UTC')} + INTERVAL 1 DAY - INTERVAL 1 MICROSECOND) AS first_day,
    toDate({until:DateTime64(6, 'UTC')}) AS last_day
SELECT
    user_id,
    sum(users.attempts) AS attempts,
    sum(users.spend) AS spend,
    sum(users.no_price) AS no_price,
    sum(users.no_usage) AS no_usage,
    sum(users.partial) AS partial
FROM
(
    SELECT user_id, attempts, spend, no_price, no_usage, partial
    FROM users_by_day
    WHERE day >= first_day AND day < last_day
    UNION ALL
    SELECT user_id, attempts, spend, no_price, no_usage, partial
    FROM users_by_hour
    WHERE hour >= toStartOfHour({since:DateTime64(6, 'UTC')})
        AND hour < {until:DateTime64(6, 'UTC')}
        AND (toDate(hour) < first_day OR toDate(hour) >= last_day)
) AS users
GROUP BY user_id
ORDER BY spend DESC NULLS LAST, user_id
LIMIT {limit:UInt32}
