-- How did spend add up over the range? USD of what is known since its beginning, and attempts not fully priced since then.
SELECT
    time,
    toFloat64(sum(known) OVER (ORDER BY time)) AS `spend`,
    sum(doubtful) OVER (ORDER BY time) AS `not fully priced`
FROM
(
    SELECT
        toStartOfInterval(moment, toIntervalSecond(@interval())) AS time,
        sum(spend) AS known,
        sum(no_price + no_usage + partial) AS doubtful
    FROM @attempts($__fromTime_ms, $__toTime_ms, @interval() % 3600 != 0)
    GROUP BY time
)
ORDER BY time
