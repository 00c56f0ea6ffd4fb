-- The task is the unit of success. It belongs to the route of its first call, and all its money counts there, that of
-- escalations to other routes too. It succeeded if its last call did; what the application reports of it later will go
-- before that, joined here by task.
CREATE VIEW IF NOT EXISTS tasks
(
    task String COMMENT 'Name of the task, or call: and the call''s ids',
    route String COMMENT 'Route of the first call',
    model String COMMENT 'Model of the first call',
    provider String COMMENT 'Provider of the first call',
    started_at DateTime64(6, 'UTC') COMMENT 'When the first call began',
    calls UInt64 COMMENT 'Number of calls',
    succeeded UInt8 COMMENT '1 if its last call succeeded',
    known_cost Nullable(Decimal(38, 12)) COMMENT 'USD of the attempts whose cost is known, a lower bound if unpriced or partial is above 0; NULL: of none',
    unpriced UInt64 COMMENT 'Attempts whose cost is not known',
    partial UInt64 COMMENT 'Attempts of whose cost a lower bound is known'
)
AS
WITH (calls.started_at, calls.trace_id, calls.call_id) AS place
SELECT
    if(calls.task = '', concat('call:', lower(hex(calls.trace_id)), ':', calls.call_id), calls.task) AS task,
    argMin(calls.route, place) AS route,
    argMin(calls.model, place) AS model,
    argMin(calls.provider, place) AS provider,
    min(calls.started_at) AS started_at,
    count() AS calls,
    argMax(calls.succeeded, place) AS succeeded,
    sum(calls.known_cost) AS known_cost,
    sum(calls.unpriced) AS unpriced,
    sum(calls.partial) AS partial
FROM calls
GROUP BY task
COMMENT 'One row a task: where it began, whether it succeeded, what is known of its cost'
