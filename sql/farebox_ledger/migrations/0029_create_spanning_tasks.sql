CREATE TABLE IF NOT EXISTS spanning_tasks
(
    task_key UInt64 COMMENT 'Hash of the task, or of the call where there is none'
)
ENGINE = ReplacingMergeTree
ORDER BY task_key
COMMENT 'Tasks with attempts in more than one hour'
