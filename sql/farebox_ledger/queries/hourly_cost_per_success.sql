-- What did a success cost, by the hour and route in which the task began? USD of all that these tasks cost, escalations,
-- retries and minutes of human work among it, and the tasks that succeeded; spend is what is known, so at least that much
-- if unpriced, partial (attempts) or human_unpriced (tasks) is above 0, and NULL if nothing is. Whoever shows the quotient
-- divides, and shows nothing at zero successes. Hours that the period only begins or ends in are shown whole.
SELECT
    hour,
    route,
    sum(tasks_by_hour.tasks) AS tasks,
    sum(tasks_by_hour.successes) AS successes,
    sum(tasks_by_hour.spend) AS spend,
    sum(tasks_by_hour.human_spend) AS human_spend,
    sum(tasks_by_hour.human_unpriced) AS human_unpriced,
    sum(tasks_by_hour.unpriced) AS unpriced,
    sum(tasks_by_hour.partial) AS partial
FROM tasks_by_hour
WHERE hour >= toStartOfHour({since:DateTime64(6, 'UTC')})
    AND hour < {until:DateTime64(6, 'UTC')}
    AND ({route:String} = '' OR route = {route:String})
    AND ({model:String} = '' OR model = {model:String})
GROUP BY hour, route
ORDER BY hour, route
