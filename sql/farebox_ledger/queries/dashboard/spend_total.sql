-- What was spent in the range, and in the stretch of the same length before it? USD of what is known; NULL: nothing is.
SELECT
    toFloat64(now.known) AS `spend`,
    toFloat64(before.known) AS `before`,
    now.doubtful AS `not fully priced`
FROM
(
    SELECT sum(spend) AS known, sum(no_price + no_usage + partial) AS doubtful
    FROM @amounts($__fromTime_ms, $__toTime_ms, 0)
) AS now
CROSS JOIN
(
    SELECT sum(spend) AS known
    FROM @amounts($__fromTime_ms - toIntervalMillisecond(dateDiff('millisecond', $__fromTime_ms, $__toTime_ms)), $__fromTime_ms, 0)
) AS before
