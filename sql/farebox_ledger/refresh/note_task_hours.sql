-- In which hours do the tasks of the arrivals have attempts?
INSERT INTO task_hours (task_key, hour)
SELECT DISTINCT task_key, hour
FROM arrivals
WHERE _part IN {parts:Array(String)} AND version > 0
