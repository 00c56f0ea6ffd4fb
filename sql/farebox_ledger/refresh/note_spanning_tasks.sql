-- Which tasks of the arrivals have attempts in more than one hour?
INSERT INTO spanning_tasks (task_key)
SELECT task_key
FROM
(
    SELECT task_key, hour
    FROM arrivals
    WHERE _part IN {parts:Array(String)} AND version > 0
    UNION ALL
    SELECT task_key, hour
    FROM task_hours
    WHERE task_key IN (SELECT task_key FROM arrivals WHERE _part IN {parts:Array(String)})
) AS met
GROUP BY task_key
HAVING min(met.hour) != max(met.hour)
