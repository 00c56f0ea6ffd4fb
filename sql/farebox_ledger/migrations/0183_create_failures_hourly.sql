-- Attempts that were no good, by the hour in which they began and how they failed, with what became of them; twice: all
-- tenants together, and each by itself. An attempt with two flags stands in two rows.
CREATE TABLE IF NOT EXISTS failures_hourly
(
    by_tenant UInt8 COMMENT '0 where all tenants are counted together, 1 where each is by itself' CODEC(ZSTD(1)),
    tenant LowCardinality(String) COMMENT 'Tag tenant where each is counted by itself; empty: none set, or all together',
    hour DateTime('UTC') COMMENT 'Hour in which the attempts began' CODEC(Delta(4), ZSTD(1)),
    route LowCardinality(String) COMMENT 'Route of the failed attempts',
    provider LowCardinality(String) COMMENT 'Provider of the failed attempts',
    model LowCardinality(String) COMMENT 'Model of the failed attempts',
    class LowCardinality(String) COMMENT 'How they ended if not ok, else a detector that found something',
    failed UInt64 COMMENT 'Attempts that were no good; passes with a price of their own (iterations) are not counted' CODEC(T64, ZSTD(1)),
    by_retry UInt64 COMMENT 'Those that a later attempt of the same call made good, whenever it came' CODEC(T64, ZSTD(1)),
    by_call UInt64 COMMENT 'Others that a later attempt of the same task made good' CODEC(T64, ZSTD(1)),
    spend Nullable(Decimal(38, 12)) COMMENT 'USD of the failed ones; NULL: nothing is known' CODEC(ZSTD(1)),
    doubtful UInt64 COMMENT 'Those without a price, without usage, or of whose cost a lower bound is known' CODEC(T64, ZSTD(1)),
    rolled_at DateTime64(6, 'UTC') COMMENT 'When it was counted; the latest holds' CODEC(Delta(8), ZSTD(1))
)
ENGINE = ReplacingMergeTree(rolled_at)
PARTITION BY toYYYYMM(hour)
ORDER BY (by_tenant, tenant, hour, route, provider, model, class)
COMMENT 'Failed attempts by hour, and what made them good: a rollup, stale where dirty_hours says; read failures_between instead'
