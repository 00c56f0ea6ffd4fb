-- What was spent this month (UTC) until the end of the range, and what will it be at the month's end if spending goes on as
-- in the last seven days, or since the ledger began if that is later? And what is the month's budget, while the variables let
-- everything through? USD of what is known; NULL: nothing is, or there is no budget of everything by the month.
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
    toFloat64(planned.amount) AS `budget`,
    month.doubtful AS `not fully priced`
FROM
(
    SELECT sum(spend) AS known, sum(no_price + no_usage + partial) AS doubtful
    FROM @amounts(toStartOfMonth(toDateTime64($__toTime_ms, 3, 'UTC')), $__toTime_ms, 0)
) AS month
CROSS JOIN
(
    SELECT sum(spend) AS known, toDateTime(minOrNull(toStartOfHour(moment)), 'UTC') AS began
    FROM @amounts(toStartOfHour(toDateTime64($__toTime_ms, 3, 'UTC') - INTERVAL 7 DAY), $__toTime_ms, 0)
) AS week
CROSS JOIN
(
    SELECT minIf(toNullable(amount), period = 'month' AND empty(applies_to)) AS amount
    FROM budgets_in_force(at = toDateTime($__toTime_ms))
    WHERE @all(route) AND @all(provider) AND @all(model) AND @all(tenant)
) AS planned
