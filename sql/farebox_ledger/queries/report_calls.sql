-- How many calls began in the period, and how many of them failed, that is, had no good attempt? One row a group and one
-- of all (total = 1), by the first attempt's route, model and provider. Counts. Whole hours of the period come from
-- tasks_by_hour, the hours that it begins and ends in (edges) are counted call by call.
SELECT
    if(has({by:Array(String)}, 'route'), begun.route, '') AS route,
    if(has({by:Array(String)}, 'model'), begun.model, '') AS model,
    if(has({by:Array(String)}, 'provider'), begun.provider, '') AS provider,
    grouping(route) AS total,
    sum(begun.calls) AS calls,
    sum(begun.failed) AS failed
FROM
(
    SELECT route, model, provider, calls, failed
    FROM tasks_by_hour
    WHERE hour >= {first_hour:DateTime('UTC')} AND hour < {last_hour:DateTime('UTC')} AND calls > 0
    UNION ALL
    SELECT route, model, provider, 1 AS calls, NOT succeeded AS failed
    FROM calls_begun(hours = {edges:Array(DateTime('UTC'))}, live = (SELECT arrayDistinct(arrayConcat({edges:Array(DateTime('UTC'))}, hours)) FROM dirty_hours))
    WHERE started_at >= {since:DateTime64(6, 'UTC')} AND started_at < {until:DateTime64(6, 'UTC')}
) AS begun
WHERE ({route:String} = '' OR begun.route = {route:String})
    AND ({model:String} = '' OR begun.model = {model:String})
GROUP BY GROUPING SETS ((route, model, provider), ())
ORDER BY total, route, model, provider
