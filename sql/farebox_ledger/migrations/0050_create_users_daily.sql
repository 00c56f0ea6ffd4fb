-- What users cost by day: of hours there are too many where users are. Counted from users_hourly once a day has passed.
CREATE TABLE IF NOT EXISTS users_daily
(
    day Date COMMENT 'Day, UTC, in which the attempts began',
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
PARTITION BY toYYYYMM(day)
ORDER BY (day, user_id, tenant)
COMMENT 'Users by day: a rollup, valid for closed_days; read users_by_day instead'
