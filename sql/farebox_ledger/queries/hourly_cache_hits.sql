-- What share of input tokens was read from a cache, by hour and route? A share from 0 to 1 of the tokens that are known, NULL
-- if none are. Hours that the period only begins or ends in are shown whole.
SELECT
    hour,
    route,
    sum(attempts_by_hour.cached_tokens) AS cached_tokens,
    sum(known_input_tokens) AS input_tokens,
    if(input_tokens = 0, NULL, cached_tokens / input_tokens) AS cache_hit_rate
FROM attempts_by_hour
WHERE hour >= toStartOfHour({since:DateTime64(6, 'UTC')})
    AND hour < {until:DateTime64(6, 'UTC')}
    AND ({route:String} = '' OR route = {route:String})
    AND ({model:String} = '' OR model = {model:String})
GROUP BY hour, route
ORDER BY hour, route
