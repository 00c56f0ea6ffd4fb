-- What was spent this month (UTC) until the end of the range, and what will it be at the month's end if spending goes on as
-- in the last seven days, or since the ledger began if that is later? USD of what is known; NULL: nothing is.
WITH
    toDateTime64($__toTime_ms, 3, 'UTC') AS now,
    toDateTime(toStartOfMonth(now), 'UTC') AS month_start,
    greatest(toStartOfHour(now - INTERVAL 7 DAY), ifNull(week.began, toDateTime(0, 'UTC'))) AS week_start,
    dateDiff('second', week_start, now) AS elapsed_s,
    dateDiff('second', now, addMonths(month_start, 1)) AS remaining_s
SELECT
    toFloat64(month.known) AS `month so far`,
    toFloat64(
        if(
            elapsed_s > 0,
            ifNull(month.known, 0)
                + divideDecimal(multiplyDecimal(week.known, toDecimal64(remaining_s, 0), 12), toDecimal64(greatest(elapsed_s, 1), 0), 12),
            NULL
        )
    ) AS `forecast`,
    month.doubtful AS `not fully priced`
FROM
(
    SELECT sum(spend) AS known, sum(no_price + no_usage + partial) AS doubtful
    FROM @attempts(toStartOfMonth(toDateTime64($__toTime_ms, 3, 'UTC')), $__toTime_ms, 0)
) AS month
CROSS JOIN
(
    SELECT sum(spend) AS known, toDateTime(minOrNull(toStartOfHour(moment)), 'UTC') AS began
    FROM @attempts(toStartOfHour(toDateTime64($__toTime_ms, 3, 'UTC') - INTERVAL 7 DAY), $__toTime_ms, 0)
) AS week
