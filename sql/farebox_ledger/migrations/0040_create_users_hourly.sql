-- What users cost, by hour.
CREATE TABLE IF NOT EXISTS users_hourly
(
    hour DateTime('UTC') COMMENT 'Hour in which the attempts began' CODEC(Delta(4), ZSTD(1)),
    user_id String COMMENT 'Tag user, or its hash; empty: none set' CODEC(ZSTD(1)),
    tenant LowCardinality(String) COMMENT 'Tag tenant; empty: none set',
    attempts UInt64 COMMENT 'Attempts; passes with a price of their own (iterations) are not counted, their money is' CODEC(T64, ZSTD(1)),
    spend Nullable(Decimal(38, 12)) COMMENT 'USD of what is priced, at least that much if no_price, no_usage or partial is above 0; NULL: of nothing' CODEC(ZSTD(1)),
    no_price UInt64 COMMENT 'Rows without a price' CODEC(T64, ZSTD(1)),
    no_usage UInt64 COMMENT 'Rows without usage' CODEC(T64, ZSTD(1)),
    partial UInt64 COMMENT 'Rows of whose cost a lower bound is known' CODEC(T64, ZSTD(1)),
    rolled_at DateTime64(6, 'UTC') COMMENT 'When it was counted; the latest holds'
)
ENGINE = ReplacingMergeTree(rolled_at)
PARTITION BY toYYYYMM(hour)
ORDER BY (hour, user_id, tenant)
COMMENT 'Users by hour: a rollup, stale where dirty_hours says; read users_by_hour instead'
