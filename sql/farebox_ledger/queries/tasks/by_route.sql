-- What went on inside the tasks that began in the period: how many calls, retries and escalations did they take, and what did
-- those cost? One row a route of the first call, and one of all (total = 1). A retry is an attempt after the first of a call;
-- an escalation is a call to another model than the task's first. Spend in USD, the rest counts and minutes; spend is what
-- is known, so at least that much if unpriced, partial or human_unpriced is above 0, and NULL if nothing is.
WITH
    calls_of_tasks AS
    (
        SELECT
            if(calls.task = '', concat('call:', lower(hex(calls.trace_id)), ':', calls.call_id), calls.task) AS name,
            calls.trace_id AS trace_id,
            calls.call_id AS call_id,
            calls.started_at AS started_at,
            calls.provider AS provider,
            calls.model AS model,
            calls.attempts AS attempts,
            calls.known_cost AS known_cost
        FROM calls_touching(
            hours = (SELECT groupUniqArray(toStartOfHour(started_at)) FROM stored_attempts WHERE started_at >= {since:DateTime64(6, 'UTC')} AND started_at < {until:DateTime64(6, 'UTC')}),
            live = (SELECT arrayDistinct(arrayConcat((SELECT groupUniqArray(toStartOfHour(started_at)) FROM stored_attempts WHERE started_at >= {since:DateTime64(6, 'UTC')} AND started_at < {until:DateTime64(6, 'UTC')}), hours)) FROM dirty_hours)
        ) AS calls
    ),
    -- What attempts cost that another attempt of the same call followed.
    retried AS
    (
        SELECT
            trace_id,
            call_id,
            arraySort(groupArray((llm_attempts.attempt, list_cost))) AS tries,
            arraySum(each -> ifNull(each.2, 0), arrayPopBack(tries)) AS cost
        FROM llm_attempts
        WHERE started_at >= {since:DateTime64(6, 'UTC')} AND started_at < {until:DateTime64(6, 'UTC')} AND kind != 'iteration'
        GROUP BY trace_id, call_id
        HAVING count() > 1
    ),
    inside AS
    (
        WITH
            (calls_of_tasks.started_at, calls_of_tasks.trace_id, calls_of_tasks.call_id) AS place,
            (calls_of_tasks.provider, calls_of_tasks.model) AS asked
        SELECT
            name,
            sum(calls_of_tasks.attempts) - count() AS retries,
            sum(retried.cost) AS retry_spend,
            argMin(asked, place) AS first_asked,
            groupArray((asked, calls_of_tasks.known_cost)) AS each_call,
            arrayFilter(each -> each.1 != first_asked, each_call) AS escalations,
            if(empty(escalations), NULL, arraySum(each -> ifNull(each.2, 0), escalations)) AS escalation_spend
        FROM calls_of_tasks
        LEFT ANY JOIN retried ON retried.trace_id = calls_of_tasks.trace_id AND retried.call_id = calls_of_tasks.call_id
        GROUP BY name
    )
SELECT
    if(grouping(tasks.route) = 1, '', tasks.route) AS route,
    grouping(tasks.route) AS total,
    count() AS tasks_begun,
    sum(tasks.succeeded) AS successes,
    sum(tasks.calls) AS calls,
    quantileExactLow(0.5)(tasks.calls) AS calls_median,
    quantileExactHigh(0.95)(tasks.calls) AS calls_p95,
    max(tasks.calls) AS calls_max,
    sum(inside.retries) AS retries,
    sum(inside.retry_spend) AS retry_spend,
    countIf(notEmpty(inside.escalations)) AS escalated,
    sum(inside.escalation_spend) AS escalation_spend,
    countIf(tasks.human_minutes > 0) AS human_tasks,
    sum(tasks.human_minutes) AS human_minutes,
    sum(tasks.human_cost) AS human_spend,
    countIf(tasks.human_minutes > 0 AND tasks.human_cost IS NULL) AS human_unpriced,
    sum(tasks.model_cost) AS model_spend,
    sum(tasks.known_cost) AS spend,
    sum(tasks.unpriced) AS unpriced,
    sum(tasks.partial) AS partial
FROM tasks_begun(
    hours = (SELECT groupUniqArray(toStartOfHour(started_at)) FROM stored_attempts WHERE started_at >= {since:DateTime64(6, 'UTC')} AND started_at < {until:DateTime64(6, 'UTC')}),
    live = (SELECT arrayDistinct(arrayConcat((SELECT groupUniqArray(toStartOfHour(started_at)) FROM stored_attempts WHERE started_at >= {since:DateTime64(6, 'UTC')} AND started_at < {until:DateTime64(6, 'UTC')}), hours)) FROM dirty_hours)
) AS tasks
LEFT ANY JOIN inside ON inside.name = tasks.task
WHERE tasks.started_at >= {since:DateTime64(6, 'UTC')} AND tasks.started_at < {until:DateTime64(6, 'UTC')}
    AND ({route:String} = '' OR tasks.route = {route:String})
GROUP BY GROUPING SETS ((tasks.route), ())
ORDER BY total, spend DESC, route
