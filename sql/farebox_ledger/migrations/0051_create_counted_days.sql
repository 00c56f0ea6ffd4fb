CREATE TABLE IF NOT EXISTS counted_days
(
    day Date COMMENT 'Day, UTC',
    counted_at DateTime64(6, 'UTC') COMMENT 'When its counting into users_daily began'
)
ENGINE = ReplacingMergeTree(counted_at)
ORDER BY day
COMMENT 'Days that were counted into users_daily'
