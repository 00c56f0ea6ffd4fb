-- What became of each task that began in the period on a route? One row a task; costs in USD, of models and of people's
-- minutes, whatever route they were spent on: known_cost is at least that much if unpriced or partial is above 0, and NULL if
-- nothing is known.
SELECT
    task,
    started_at,
    succeeded,
    calls,
    model_cost,
    human_cost,
    known_cost,
    ifNull(human_minutes, 0) > 0 AND human_cost IS NULL AS human_unpriced,
    unpriced,
    partial
FROM tasks_begun(
    hours = (SELECT groupUniqArray(toStartOfHour(started_at)) FROM stored_attempts WHERE started_at >= {since:DateTime64(6, 'UTC')} AND started_at < {until:DateTime64(6, 'UTC')}),
    live = (SELECT arrayDistinct(arrayConcat((SELECT groupUniqArray(toStartOfHour(started_at)) FROM stored_attempts WHERE started_at >= {since:DateTime64(6, 'UTC')} AND started_at < {until:DateTime64(6, 'UTC')}), hours)) FROM dirty_hours)
)
WHERE route = {route:String} AND started_at >= {since:DateTime64(6, 'UTC')} AND started_at < {until:DateTime64(6, 'UTC')}
