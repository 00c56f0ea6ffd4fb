-- How many calls of each hour and route failed, that is, had no good attempt? By the first attempt's hour and route; counts,
-- and the share of all calls, NULL if there were none. Hours that the period only begins or ends in are shown whole.
SELECT
    hour,
    route,
    sum(tasks_by_hour.calls) AS calls,
    sum(tasks_by_hour.failed) AS failed,
    if(calls = 0, NULL, failed / calls) AS failure_rate
FROM tasks_by_hour
WHERE hour >= toStartOfHour({since:DateTime64(6, 'UTC')})
    AND hour < {until:DateTime64(6, 'UTC')}
    AND ({route:String} = '' OR route = {route:String})
    AND ({model:String} = '' OR model = {model:String})
GROUP BY hour, route
ORDER BY hour, route
