CREATE OR REPLACE VIEW tasks_by_hour
(
    hour DateTime('UTC') COMMENT 'Hour',
    route LowCardinality(String) COMMENT 'Route of the first attempt of the call, or of the task',
    provider LowCardinality(String) COMMENT 'Its provider',
    model LowCardinality(String) COMMENT 'Its model',
    calls UInt64 COMMENT 'Calls that began in this hour with this group',
    failed UInt64 COMMENT 'Those of them without a good attempt',
    tasks UInt64 COMMENT 'Tasks that began in this hour with this group',
    successes UInt64 COMMENT 'Those of them that succeeded',
    spend Nullable(Decimal(38, 12)) COMMENT 'USD of these tasks, minutes of human work included, at least that much if unpriced, partial or human_unpriced is above 0; NULL: nothing is known',
    human_spend Nullable(Decimal(38, 12)) COMMENT 'USD of minutes of human work on these tasks, inside spend; NULL: none are known',
    human_unpriced UInt64 COMMENT 'Tasks with minutes of human work whose cost is not known',
    unpriced UInt64 COMMENT 'Attempts of these tasks whose cost is not known',
    partial UInt64 COMMENT 'Attempts of these tasks of whose cost a lower bound is known'
)
AS
WITH (SELECT hours FROM dirty_hours) AS dirty
SELECT
    hour,
    route,
    provider,
    model,
    calls,
    failed,
    tasks,
    successes,
    spend,
    human_spend,
    human_unpriced,
    unpriced,
    partial
FROM tasks_hourly FINAL
WHERE NOT by_tenant AND hour NOT IN (dirty) AND calls + tasks > 0
UNION ALL
SELECT
    hour,
    route,
    provider,
    model,
    calls,
    failed,
    tasks,
    successes,
    spend,
    human_spend,
    human_unpriced,
    unpriced,
    partial
FROM task_sums(hours = dirty, live = dirty, since = toDateTime64('1970-01-01', 6, 'UTC'), until = toDateTime64('2106-01-01', 6, 'UTC'), levels = [0])
COMMENT 'Calls and tasks by the hour in which they began: exact at every moment, and fast'
