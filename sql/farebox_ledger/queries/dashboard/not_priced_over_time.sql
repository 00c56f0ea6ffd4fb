-- How many attempts could not be priced over time, or not in full? Attempts an interval; intervals without any are left out.
SELECT
    toStartOfInterval(moment, toIntervalSecond(@interval())) AS time,
    sum(no_price + no_usage + partial) AS `not fully priced`
FROM @amounts($__fromTime_ms, $__toTime_ms, @interval() % 3600 != 0)
GROUP BY time
HAVING `not fully priced` > 0
ORDER BY time
