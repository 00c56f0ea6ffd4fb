-- What was spent in each hour on each route, by the class of what was billed, and how much could not be priced? USD; spend
-- is what is known, so at least that much if no_price, no_usage or partial (attempts) is above 0, and NULL if nothing is.
-- Hours that the period only begins or ends in are shown whole.
SELECT
    hour,
    route,
    sum(attempts_by_hour.spend) AS spend,
    sum(attempts_by_hour.spend_input) AS spend_input,
    sum(attempts_by_hour.spend_cache_read) AS spend_cache_read,
    sum(attempts_by_hour.spend_cache_write) AS spend_cache_write,
    sum(attempts_by_hour.spend_output) AS spend_output,
    sum(attempts_by_hour.spend_tools) AS spend_tools,
    sum(attempts_by_hour.attempts) AS attempts,
    sum(attempts_by_hour.no_price) AS no_price,
    sum(attempts_by_hour.no_usage) AS no_usage,
    sum(attempts_by_hour.partial) AS partial,
    sum(attempts_by_hour.unpriced_tokens) AS unpriced_tokens
FROM attempts_by_hour
WHERE hour >= toStartOfHour({since:DateTime64(6, 'UTC')})
    AND hour < {until:DateTime64(6, 'UTC')}
    AND ({route:String} = '' OR route = {route:String})
    AND ({model:String} = '' OR model = {model:String})
GROUP BY hour, route
ORDER BY hour, route
