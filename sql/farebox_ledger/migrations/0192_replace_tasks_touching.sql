-- Whole tasks: all that have an attempt in some hours, each with its calls, which a number orders by start, trace id and call id:
-- comparing tuples took most of the time.
CREATE OR REPLACE VIEW tasks_touching
AS
WITH
    begun AS
    (
        WITH
            bitOr(
                bitShiftLeft(
                    bitOr(
                        bitShiftLeft(toUInt256(toUnixTimestamp64Micro(calls.started_at)), 128),
                        toUInt256(reinterpretAsUInt128(reverse(calls.trace_id)))
                    ),
                    64
                ),
                toUInt256(reinterpretAsUInt64(reverse(unhex(calls.call_id))))
            ) AS place
        SELECT
            if(calls.task = '', concat('call:', lower(hex(calls.trace_id)), ':', calls.call_id), calls.task) AS task,
            argMin(calls.route, place) AS route,
            argMin(calls.model, place) AS model,
            argMin(calls.provider, place) AS provider,
            argMin(calls.tenant, place) AS tenant,
            min(calls.started_at) AS started_at,
            count() AS calls,
            argMax(calls.succeeded, place) AS last_call_succeeded,
            sum(calls.known_cost) AS model_cost,
            sum(calls.unpriced) AS unpriced,
            sum(calls.partial) AS partial,
            groupArray((calls.started_at, calls.tenant, calls.route, calls.provider, calls.model, calls.succeeded)) AS each_call
        FROM calls_touching(hours = {hours:Array(DateTime('UTC'))}, live = {live:Array(DateTime('UTC'))}) AS calls
        GROUP BY task
    ),
    said AS
    (
        SELECT
            task,
            argMaxIf(success, reported, success IS NOT NULL) AS success,
            argMaxIf(human_minutes, reported, human_minutes IS NOT NULL) AS human_minutes
        FROM
        (
            SELECT task, success, human_minutes, (reported_at, trace_id, span_id) AS reported
            FROM task_outcomes
            WHERE task_key IN
            (
                SELECT if(task = '', sipHash64(trace_id, call_id), sipHash64(task))
                FROM stored_attempts
                WHERE toStartOfHour(started_at) IN ({hours:Array(DateTime('UTC'))})
            )
        )
        GROUP BY task
    )
SELECT
    begun.task AS task,
    begun.route AS route,
    begun.model AS model,
    begun.provider AS provider,
    begun.tenant AS tenant,
    begun.started_at AS started_at,
    begun.calls AS calls,
    toUInt8(ifNull(said.success, begun.last_call_succeeded)) AS succeeded,
    begun.model_cost AS model_cost,
    begun.unpriced AS unpriced,
    begun.partial AS partial,
    said.human_minutes AS human_minutes,
    human_minutes * dictGet(
        'route_setting',
        'human_usd_per_minute',
        if(dictHas('route_setting', toString(begun.route), toDateTime(begun.started_at)), toString(begun.route), '*'),
        toDateTime(begun.started_at)
    ) AS human_cost,
    if(model_cost IS NULL AND human_cost IS NULL, NULL, ifNull(model_cost, 0) + ifNull(human_cost, 0)) AS known_cost,
    begun.each_call AS each_call
FROM begun
LEFT ANY JOIN said ON said.task = begun.task
SETTINGS join_use_nulls = 1
COMMENT 'Tasks with an attempt in some hours, whole, each with its calls; columns as in tasks; parameters hours and live'
