-- What was spent over time, on each route? USD an interval and route, what is known of it; NULL: nothing is.
SELECT
    toStartOfInterval(moment, toIntervalSecond(@interval())) AS time,
    route,
    toFloat64(sum(spend)) AS spend
FROM @amounts($__fromTime_ms, $__toTime_ms, @interval() % 3600 != 0)
GROUP BY time, route
ORDER BY time, route
