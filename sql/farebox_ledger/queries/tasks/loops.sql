-- Which tasks that began in the period took far more calls than their route's do, as loops of agents that do not find the
-- end, and what did they burn? One row a task, dearest first: at least {calls_min} calls, and {factor} times the median of
-- its route, which is told where it has at least {tasks_min} tasks. Costs in USD, of the task whole and of its route's median
-- task; known_cost is at least that much if unpriced or partial is above 0, and NULL if nothing is known.
WITH begun AS
(
    SELECT task, route, started_at, calls, succeeded, known_cost, unpriced, partial
    FROM tasks_begun(
        hours = (SELECT groupUniqArray(toStartOfHour(started_at)) FROM stored_attempts WHERE started_at >= {since:DateTime64(6, 'UTC')} AND started_at < {until:DateTime64(6, 'UTC')}),
        live = (SELECT arrayDistinct(arrayConcat((SELECT groupUniqArray(toStartOfHour(started_at)) FROM stored_attempts WHERE started_at >= {since:DateTime64(6, 'UTC')} AND started_at < {until:DateTime64(6, 'UTC')}), hours)) FROM dirty_hours)
    )
    WHERE started_at >= {since:DateTime64(6, 'UTC')} AND started_at < {until:DateTime64(6, 'UTC')}
        AND ({route:String} = '' OR route = {route:String})
)
SELECT
    begun.task AS task,
    begun.route AS route,
    begun.started_at AS started_at,
    begun.calls AS calls,
    usual.calls_median AS calls_median,
    begun.succeeded AS succeeded,
    begun.known_cost AS known_cost,
    usual.cost_median AS cost_median,
    begun.unpriced AS unpriced,
    begun.partial AS partial
FROM begun
INNER JOIN
(
    SELECT route, quantileExactLow(0.5)(calls) AS calls_median, quantileExactLow(0.5)(known_cost) AS cost_median
    FROM begun
    GROUP BY route
    HAVING count() >= {tasks_min:UInt32}
) AS usual ON usual.route = begun.route
WHERE begun.calls >= {calls_min:UInt32} AND begun.calls >= {factor:UInt32} * usual.calls_median
ORDER BY known_cost DESC, calls DESC, task
