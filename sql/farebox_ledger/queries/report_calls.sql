-- How many calls began in the period, and how many of them failed, that is, had no good attempt? One row a group and one
-- of all (total = 1), by the first attempt's route, model and provider. Counts.
SELECT
    if(has({by:Array(String)}, 'route'), calls.route, '') AS route,
    if(has({by:Array(String)}, 'model'), calls.model, '') AS model,
    if(has({by:Array(String)}, 'provider'), calls.provider, '') AS provider,
    grouping(route) AS total,
    count() AS calls,
    countIf(NOT succeeded) AS failed
FROM calls
WHERE started_at >= {since:DateTime64(6, 'UTC')}
    AND started_at < {until:DateTime64(6, 'UTC')}
    AND ({route:String} = '' OR calls.route = {route:String})
    AND ({model:String} = '' OR calls.model = {model:String})
GROUP BY GROUPING SETS ((route, model, provider), ())
ORDER BY total, route, model, provider
