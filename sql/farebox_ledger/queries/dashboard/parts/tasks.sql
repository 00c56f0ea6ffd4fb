-- Calls and tasks that began in a period, by the first call's route, provider and model, as the dashboard's variables let
-- them through, each with all that became of it. Whole hours are read from the rollup, hours that the period cuts off are
-- counted one by one, and so are all of them where a tenant is chosen: a task is a tenant's if an attempt of it is.
(
    WITH
        toDateTime64(@since, 3, 'UTC') AS since,
        toDateTime64(@until, 3, 'UTC') AS until,
        toStartOfHour(since + INTERVAL 3599999 MILLISECOND) AS first_hour,
        toStartOfHour(until) AS last_hour,
        arrayMap(
            each -> toDateTime(toStartOfHour(since) + each * 3600, 'UTC'),
            range(toUInt32(dateDiff('hour', toStartOfHour(since), toStartOfHour(until)) + 1))
        ) AS every_hour,
        (
            SELECT arrayFilter(each -> NOT @all(tenant) OR each < first_hour OR each >= last_hour, every_hour)
        ) AS one_by_one,
        (SELECT arrayDistinct(arrayConcat(one_by_one, hours)) FROM dirty_hours) AS live
    SELECT moment, route, provider, model, calls, failed, tasks, successes, spend, doubts
    FROM
    (
        SELECT
            toDateTime64(hour, 6, 'UTC') AS moment,
            route,
            provider,
            model,
            calls,
            failed,
            tasks,
            successes,
            spend,
            unpriced + partial + human_unpriced AS doubts
        FROM tasks_by_hour
        WHERE @all(tenant) AND hour >= first_hour AND hour < last_hour
        UNION ALL
        SELECT
            started_at AS moment,
            route,
            provider,
            model,
            toUInt64(1) AS calls,
            toUInt64(NOT succeeded) AS failed,
            toUInt64(0) AS tasks,
            toUInt64(0) AS successes,
            NULL AS spend,
            toUInt64(0) AS doubts
        FROM calls_begun(hours = one_by_one, live = live)
        WHERE started_at >= since AND started_at < until
            AND (@all(tenant) OR (trace_id, call_id) IN (SELECT trace_id, call_id FROM llm_attempts WHERE started_at >= since AND NOT @all(tenant) AND @chosen(tenant)))
        UNION ALL
        SELECT
            started_at AS moment,
            route,
            provider,
            model,
            toUInt64(0) AS calls,
            toUInt64(0) AS failed,
            toUInt64(1) AS tasks,
            toUInt64(succeeded) AS successes,
            known_cost AS spend,
            unpriced + partial + (ifNull(human_minutes, 0) > 0 AND human_cost IS NULL) AS doubts
        FROM tasks_begun(hours = one_by_one, live = live)
        WHERE started_at >= since AND started_at < until
            AND
            (
                @all(tenant) OR task IN
                (
                    SELECT if(task = '', concat('call:', lower(hex(trace_id)), ':', call_id), task)
                    FROM llm_attempts
                    WHERE started_at >= since AND NOT @all(tenant) AND @chosen(tenant)
                )
            )
    ) AS begun
    WHERE @chosen(route) AND @chosen(provider) AND @chosen(model)
)
