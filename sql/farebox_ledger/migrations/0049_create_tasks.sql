-- The task is the unit of success. It belongs to the route and the hour of its first call, and all its money counts there:
-- that of escalations to other routes, and of people's minutes on it. It succeeded if the application says so, else if its
-- last call did.
-- It reads the whole ledger: for a period ask tasks_begun or tasks_by_hour.
CREATE VIEW IF NOT EXISTS tasks
(
    task String COMMENT 'Name of the task, or call: and the call''s ids',
    route String COMMENT 'Route of the first call',
    model String COMMENT 'Model of the first call',
    provider String COMMENT 'Provider of the first call',
    started_at DateTime64(6, 'UTC') COMMENT 'When the first call began',
    calls UInt64 COMMENT 'Number of calls',
    succeeded UInt8 COMMENT '1 if the application says so, else if its last call succeeded',
    model_cost Nullable(Decimal(38, 12)) COMMENT 'USD of the attempts whose cost is known, a lower bound if unpriced or partial is above 0; NULL: of none',
    unpriced UInt64 COMMENT 'Attempts whose cost is not known',
    partial UInt64 COMMENT 'Attempts of whose cost a lower bound is known',
    human_minutes Nullable(Decimal(18, 6)) COMMENT 'Minutes of a person''s work on it; NULL: nobody said',
    human_cost Nullable(Decimal(38, 12)) COMMENT 'USD of these minutes; NULL: no minutes, or their price is not known',
    known_cost Nullable(Decimal(38, 12)) COMMENT 'USD of attempts and people as far as known; NULL: nothing is'
)
AS
WITH
    begun AS
    (
        WITH (calls.started_at, calls.trace_id, calls.call_id) AS place
        SELECT
            if(calls.task = '', concat('call:', lower(hex(calls.trace_id)), ':', calls.call_id), calls.task) AS task,
            argMin(calls.route, place) AS route,
            argMin(calls.model, place) AS model,
            argMin(calls.provider, place) AS provider,
            min(calls.started_at) AS started_at,
            count() AS calls,
            argMax(calls.succeeded, place) AS last_call_succeeded,
            sum(calls.known_cost) AS model_cost,
            sum(calls.unpriced) AS unpriced,
            sum(calls.partial) AS partial
        FROM calls
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
        )
        GROUP BY task
    )
SELECT
    begun.task AS task,
    begun.route AS route,
    begun.model AS model,
    begun.provider AS provider,
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
    if(model_cost IS NULL AND human_cost IS NULL, NULL, ifNull(model_cost, 0) + ifNull(human_cost, 0)) AS known_cost
FROM begun
LEFT ANY JOIN said ON said.task = begun.task
SETTINGS join_use_nulls = 1
COMMENT 'One row a task: where it began, whether it succeeded, what is known of its cost'
