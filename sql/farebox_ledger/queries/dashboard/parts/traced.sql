-- All attempts of the task that is asked for, whenever they began: by its name, or by the trace id of an attempt of it in the range;
-- of a call without a task, those of its trace in the range. @text(trace) is what somebody typed, or a link brought.
(
    WITH
        trimBoth(@text(trace)) AS asked,
        match(asked, '^[0-9a-fA-F]{32}$') AS by_id,
        toFixedString(unhex(if(by_id, asked, repeat('0', 32))), 16) AS asked_id,
        (
            SELECT (anyIf(task, task != ''), groupUniqArray(toDateTime(toStartOfHour(started_at), 'UTC')))
            FROM stored_attempts
            WHERE by_id AND started_at >= $__fromTime_ms AND started_at < $__toTime_ms AND trace_id = asked_id
        ) AS met,
        if(by_id, met.1, asked) AS whole,
        (
            SELECT groupUniqArray(hour)
            FROM
            (
                SELECT hour FROM task_hours WHERE whole != '' AND task_key = sipHash64(whole)
                UNION ALL
                SELECT hour FROM arrivals WHERE whole != '' AND task_key = sipHash64(whole)
            )
        ) AS hours_of_task
    SELECT *
    FROM llm_attempts
    WHERE toStartOfHour(started_at) IN (arrayConcat(met.2, hours_of_task)) AND if(whole = '', by_id AND trace_id = asked_id, task = whole)
)
