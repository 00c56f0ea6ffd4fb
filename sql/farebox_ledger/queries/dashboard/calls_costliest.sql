-- Which calls cost most? Those of the twenty dearest attempts: USD of their attempts in the range that the variables let
-- through, what is known of it. The twenty are in the hours whose dearest attempts are dearest, and only those hours are
-- read, and then the hours of the tasks that the calls are part of: as sets, since by an array ClickHouse leaves no
-- partition out.
WITH
    (
        SELECT groupArray(hour)
        FROM
        (
            SELECT toStartOfHour(moment) AS hour
            FROM @amounts($__fromTime_ms, $__toTime_ms, 0)
            GROUP BY hour
            ORDER BY max(dearest) DESC NULLS LAST, hour
            LIMIT 20
        )
    ) AS dear_hours,
    (
        SELECT groupUniqArray((call, task_key))
        FROM
        (
            SELECT
                sipHash128(trace_id, call_id) AS call,
                if(task = '', sipHash64(trace_id, call_id), sipHash64(task)) AS task_key
            FROM llm_attempts
            WHERE toStartOfHour(started_at) IN (SELECT arrayJoin(dear_hours))
                AND started_at >= $__fromTime_ms AND started_at < $__toTime_ms
                AND @chosen(route) AND @chosen(provider) AND @chosen(model) AND @chosen(tenant)
            ORDER BY list_cost DESC NULLS LAST, started_at, trace_id
            LIMIT 20
        )
    ) AS dearest,
    arrayMap(each -> each.1, dearest) AS calls,
    arrayMap(each -> each.2, dearest) AS tasks,
    (
        SELECT groupUniqArray(hour)
        FROM
        (
            SELECT hour FROM task_hours WHERE task_key IN (SELECT arrayJoin(tasks))
            UNION ALL
            SELECT hour FROM arrivals WHERE task_key IN (SELECT arrayJoin(tasks))
        )
    ) AS their_hours
SELECT
    min(started_at) AS `began`,
    lower(hex(trace_id)) AS `trace`,
    argMin(toString(llm_attempts.route), (started_at, span_id)) AS `route`,
    argMin(toString(llm_attempts.model), (started_at, span_id)) AS `model`,
    any(task) AS `task`,
    countIf(kind != 'iteration') AS `attempts`,
    if(max(good AND kind != 'iteration'), 'good', 'failed') AS `ended`,
    sum(input_tokens) AS `input tokens`,
    sum(llm_attempts.output_tokens) AS `output tokens`,
    toFloat64(sum(list_cost)) AS `spend`,
    countIf(price_state IN ('no_price', 'no_usage', 'partial')) AS `not fully priced`,
    ifNull(toString(sum(list_cost)), '') AS `spend, exact`
FROM llm_attempts
WHERE toStartOfHour(started_at) IN (SELECT arrayJoin(their_hours)) AND has(calls, sipHash128(trace_id, call_id))
    AND started_at >= $__fromTime_ms AND started_at < $__toTime_ms
    AND @chosen(llm_attempts.route) AND @chosen(provider) AND @chosen(llm_attempts.model) AND @chosen(tenant)
GROUP BY trace_id, call_id
ORDER BY sum(list_cost) DESC, `began`, `trace`
