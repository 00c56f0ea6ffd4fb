-- What did tasks that began in the period cost altogether, escalations, retries and minutes of human work among it, and how
-- many succeeded? One row a group and one of all (total = 1), by the first call's route, model and provider. Spend in USD,
-- the rest counts; spend is what is known, so at least that much if unpriced, partial or human_unpriced is above 0, and NULL
-- if nothing is.
SELECT
    if(has({by:Array(String)}, 'route'), begun.route, '') AS route,
    if(has({by:Array(String)}, 'model'), begun.model, '') AS model,
    if(has({by:Array(String)}, 'provider'), begun.provider, '') AS provider,
    grouping(route) AS total,
    sum(begun.tasks) AS tasks,
    sum(begun.successes) AS successes,
    sum(begun.spend) AS task_spend,
    sum(begun.human_spend) AS human_spend,
    sum(begun.human_unpriced) AS human_unpriced,
    sum(begun.unpriced) AS unpriced,
    sum(begun.partial) AS partial
FROM tasks_between(since = {since:DateTime64(6, 'UTC')}, until = {until:DateTime64(6, 'UTC')}, by_tenant = 0) AS begun
WHERE ({route:String} = '' OR begun.route = {route:String})
    AND ({model:String} = '' OR begun.model = {model:String})
GROUP BY GROUPING SETS ((route, model, provider), ())
ORDER BY total, route, model, provider
