-- What did tasks that began in the period cost altogether, escalations and retries among it, and how many succeeded? One
-- row a group and one of all (total = 1), by the first call's route, model and provider. Spend in USD, the rest counts;
-- spend is what is known, so at least that much if unpriced or partial is above 0, and NULL if nothing is.
SELECT
    if(has({by:Array(String)}, 'route'), tasks.route, '') AS route,
    if(has({by:Array(String)}, 'model'), tasks.model, '') AS model,
    if(has({by:Array(String)}, 'provider'), tasks.provider, '') AS provider,
    grouping(route) AS total,
    count() AS tasks,
    countIf(succeeded) AS successes,
    sum(known_cost) AS task_spend,
    sum(tasks.unpriced) AS unpriced,
    sum(tasks.partial) AS partial
FROM tasks
WHERE started_at >= {since:DateTime64(6, 'UTC')}
    AND started_at < {until:DateTime64(6, 'UTC')}
    AND ({route:String} = '' OR tasks.route = {route:String})
    AND ({model:String} = '' OR tasks.model = {model:String})
GROUP BY GROUPING SETS ((route, model, provider), ())
ORDER BY total, route, model, provider
