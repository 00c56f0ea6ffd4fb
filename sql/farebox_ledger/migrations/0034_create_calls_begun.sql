-- A call is what the application asked for once; its attempts are what that took. It belongs to the route and the hour of
-- its first attempt, and succeeded if one of its attempts is good.
CREATE VIEW IF NOT EXISTS calls_begun
AS
SELECT *
FROM calls_touching(hours = {hours:Array(DateTime('UTC'))}, live = {live:Array(DateTime('UTC'))})
WHERE toStartOfHour(started_at) IN ({hours:Array(DateTime('UTC'))})
COMMENT 'Calls that began in some hours, whole; columns as in calls; parameters hours and live'
