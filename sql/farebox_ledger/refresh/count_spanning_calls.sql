-- What do these hours add to calls of tasks that span hours?
INSERT INTO spanning_calls
SELECT *, {now:DateTime64(6, 'UTC')} AS rolled_at
FROM
(
    SELECT
        task_key,
        hour,
        trace_id,
        call_id,
        place,
        task,
        route,
        model,
        provider,
        tenant,
        started_at,
        attempts,
        succeeded,
        good_attempt,
        good_at,
        known_cost,
        unpriced,
        partial
    FROM call_parts(hours = {hours:Array(DateTime('UTC'))})
    WHERE task_key IN (SELECT task_key FROM spanning_tasks)
)
