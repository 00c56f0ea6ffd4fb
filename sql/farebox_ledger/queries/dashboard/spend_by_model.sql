-- What was spent over time, on each model? USD an interval and model, what is known of it; NULL: nothing is.
SELECT
    toStartOfInterval(moment, toIntervalSecond(@interval())) AS time,
    model,
    toFloat64(sum(spend)) AS spend
FROM @amounts($__fromTime_ms, $__toTime_ms, @interval() % 3600 != 0)
GROUP BY time, model
ORDER BY time, model
