-- How many tokens went in and out in each hour on each route, where they are known? Tokens; input holds the cached ones,
-- output the reasoning. no_usage attempts did not say. Hours that the period only begins or ends in are shown whole.
SELECT
    hour,
    route,
    sum(known_input_tokens) AS input_tokens,
    sum(attempts_by_hour.cached_tokens) AS cached_tokens,
    sum(attempts_by_hour.cache_written_tokens) AS cache_written_tokens,
    sum(attempts_by_hour.output_tokens) AS output_tokens,
    sum(attempts_by_hour.reasoning_tokens) AS reasoning_tokens,
    sum(attempts_by_hour.no_usage) AS no_usage
FROM attempts_by_hour
WHERE hour >= toStartOfHour({since:DateTime64(6, 'UTC')})
    AND hour < {until:DateTime64(6, 'UTC')}
    AND ({route:String} = '' OR route = {route:String})
    AND ({model:String} = '' OR model = {model:String})
GROUP BY hour, route
ORDER BY hour, route
