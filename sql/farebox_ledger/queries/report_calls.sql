-- How many calls began in the period, and how many of them failed, that is, had no good attempt? One row a group and one
-- of all (total = 1), by the first attempt's route, model and provider. Counts.
SELECT
    if(has({by:Array(String)}, 'route'), begun.route, '') AS route,
    if(has({by:Array(String)}, 'model'), begun.model, '') AS model,
    if(has({by:Array(String)}, 'provider'), begun.provider, '') AS provider,
    grouping(route) AS total,
    sum(begun.calls) AS calls,
    sum(begun.failed) AS failed
FROM tasks_between(since = {since:DateTime64(6, 'UTC')}, until = {until:DateTime64(6, 'UTC')}, by_tenant = 0) AS begun
WHERE ({route:String} = '' OR begun.route = {route:String})
    AND ({model:String} = '' OR begun.model = {model:String})
GROUP BY GROUPING SETS ((route, model, provider), ())
ORDER BY total, route, model, provider
