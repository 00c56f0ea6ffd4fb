-- Calls and tasks counted by the hour in which they began, each with all that became of it; twice: all tenants together,
-- and each by itself.
CREATE TABLE IF NOT EXISTS tasks_hourly
(
    by_tenant UInt8 COMMENT '0 where all tenants are counted together, 1 where each is by itself' CODEC(ZSTD(1)),
    tenant LowCardinality(String) COMMENT 'Tenant of the first attempt of the call, or of the task, where each is counted by itself; empty: none set, or all together',
    hour DateTime('UTC') COMMENT 'Hour in which the calls and tasks began',
    route LowCardinality(String) COMMENT 'Route of the first attempt of the call, or of the task',
    provider LowCardinality(String) COMMENT 'Provider of the first attempt of the call, or of the task',
    model LowCardinality(String) COMMENT 'Model of the first attempt of the call, or of the task',
    calls UInt64 COMMENT 'Calls that began in this hour with this group' CODEC(T64, ZSTD(1)),
    failed UInt64 COMMENT 'Those of them without a good attempt' CODEC(T64, ZSTD(1)),
    tasks UInt64 COMMENT 'Tasks that began in this hour with this group' CODEC(T64, ZSTD(1)),
    successes UInt64 COMMENT 'Those of them that succeeded' CODEC(T64, ZSTD(1)),
    spend Nullable(Decimal(38, 12)) COMMENT 'USD of these tasks, minutes of human work included, at least that much if unpriced, partial or human_unpriced is above 0; NULL: nothing is known' CODEC(ZSTD(1)),
    human_spend Nullable(Decimal(38, 12)) COMMENT 'USD of minutes of human work on these tasks, inside spend; NULL: none are known' CODEC(ZSTD(1)),
    human_unpriced UInt64 COMMENT 'Tasks with minutes of human work whose cost is not known' CODEC(T64, ZSTD(1)),
    unpriced UInt64 COMMENT 'Attempts of these tasks whose cost is not known' CODEC(T64, ZSTD(1)),
    partial UInt64 COMMENT 'Attempts of these tasks of whose cost a lower bound is known' CODEC(T64, ZSTD(1)),
    rolled_at DateTime64(6, 'UTC') COMMENT 'When it was counted; the latest holds'
)
ENGINE = ReplacingMergeTree(rolled_at)
PARTITION BY toYYYYMM(hour)
ORDER BY (by_tenant, tenant, hour, route, provider, model)
COMMENT 'Calls and tasks by hour: a rollup, stale where dirty_hours says; read tasks_by_hour or tasks_between instead'
