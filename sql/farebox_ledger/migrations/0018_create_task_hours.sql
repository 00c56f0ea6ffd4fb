-- In which hours each task has attempts: what tells a task that spans hours.
CREATE TABLE IF NOT EXISTS task_hours
(
    task_key UInt64 COMMENT 'Hash of the task, or of the call where there is none' CODEC(Delta(8), ZSTD(1)),
    hour DateTime('UTC') COMMENT 'Hour with attempts of it' CODEC(T64, ZSTD(1))
)
ENGINE = ReplacingMergeTree
ORDER BY (task_key, hour)
SETTINGS index_granularity = 1024
COMMENT 'The hours in which each task has attempts, of all that a refresh has worked through'
