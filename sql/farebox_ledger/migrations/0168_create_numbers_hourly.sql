-- The numbers that clients' processes gave their attempts, by hour: where none is missing no attempt need be looked at.
CREATE TABLE IF NOT EXISTS numbers_hourly
(
    hour DateTime('UTC') COMMENT 'Hour in which the attempts began' CODEC(Delta(4), ZSTD(1)),
    service LowCardinality(String) COMMENT 'service.name of the client',
    instance LowCardinality(String) COMMENT 'Random id of the client''s process',
    first_at DateTime64(6, 'UTC') COMMENT 'When the attempt with the least number of the hour began' CODEC(ZSTD(1)),
    first UInt64 COMMENT 'The least number of the hour' CODEC(T64, ZSTD(1)),
    last UInt64 COMMENT 'The greatest' CODEC(T64, ZSTD(1)),
    numbers UInt64 COMMENT 'How many came; 0: none any more' CODEC(T64, ZSTD(1)),
    rolled_at DateTime64(6, 'UTC') COMMENT 'When it was counted; the latest holds'
)
ENGINE = ReplacingMergeTree(rolled_at)
PARTITION BY toYYYYMM(hour)
ORDER BY (hour, service, instance)
COMMENT 'Numbers of clients'' attempts by hour: a rollup, stale where dirty_hours says'
