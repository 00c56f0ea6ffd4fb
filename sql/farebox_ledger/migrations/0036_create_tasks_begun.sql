CREATE VIEW IF NOT EXISTS tasks_begun
AS
SELECT * EXCEPT (each_call)
FROM tasks_touching(hours = {hours:Array(DateTime('UTC'))}, live = {live:Array(DateTime('UTC'))})
WHERE toStartOfHour(started_at) IN ({hours:Array(DateTime('UTC'))})
COMMENT 'Tasks that began in some hours, whole; columns as in tasks; parameters hours and live'
