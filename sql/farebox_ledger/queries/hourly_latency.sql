-- How long did attempts of each hour and route take? Milliseconds, one percent off at most. Hours that the period only
-- begins or ends in are shown whole.
SELECT
    hour,
    route,
    sum(attempts_by_hour.attempts) AS attempts,
    quantilesDDMerge(0.01, 0.5, 0.95, 0.99)(latencies) AS quantiles,
    quantiles[1] AS latency_p50_ms,
    quantiles[2] AS latency_p95_ms,
    quantiles[3] AS latency_p99_ms
FROM attempts_by_hour
WHERE hour >= toStartOfHour({since:DateTime64(6, 'UTC')})
    AND hour < {until:DateTime64(6, 'UTC')}
    AND ({route:String} = '' OR route = {route:String})
    AND ({model:String} = '' OR model = {model:String})
GROUP BY hour, route
ORDER BY hour, route
