-- How many attempts came over time, and how many of them without usage? Attempts an interval.
SELECT
    toStartOfInterval(moment, toIntervalSecond(@interval())) AS time,
    sum(attempts) AS `attempts`,
    sum(no_usage) AS `without usage`,
    sum(partial) AS `cut`
FROM @amounts($__fromTime_ms, $__toTime_ms, @interval() % 3600 != 0)
GROUP BY time
ORDER BY time
