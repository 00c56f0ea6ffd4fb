-- What did a success cost over time, and what a call? USD by the hour, or longer, in which the tasks and calls began; NULL
-- without a success, or if no money is known. Of a task that is unpriced in part, what is known counts. The hour that the range
-- cuts off stands at the range's beginning, where a chart shows it.
SELECT
    greatest(toDateTime64(toStartOfInterval(moment, toIntervalSecond(greatest(@interval(), 3600))), 3, 'UTC'), $__fromTime_ms) AS time,
    toFloat64(if(sum(successes) > 0, divideDecimal(sum(spend), toDecimal64(greatest(sum(successes), 1), 0), 18), NULL)) AS `per success`,
    toFloat64(if(sum(calls) > 0, divideDecimal(sum(spend), toDecimal64(greatest(sum(calls), 1), 0), 18), NULL)) AS `per call`,
    sum(doubts) AS `not fully priced`
FROM @tasks($__fromTime_ms, $__toTime_ms)
GROUP BY time
ORDER BY time
