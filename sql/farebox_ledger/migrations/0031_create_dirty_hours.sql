-- One row. Whoever counts reads it once, as a scalar, so that an hour is either dirty or clean for the whole query.
CREATE VIEW IF NOT EXISTS dirty_hours
(
    hours Array(DateTime('UTC')) COMMENT 'Hours that arrivals touch: their own, and all hours of tasks they belong to'
)
AS
SELECT arraySort(groupUniqArray(hour)) AS hours
FROM
(
    SELECT hour FROM arrivals
    UNION ALL
    SELECT hour FROM task_hours WHERE task_key IN (SELECT task_key FROM arrivals)
)
COMMENT 'Hours whose rollups are stale; they are counted from llm_attempts instead. A single row'
