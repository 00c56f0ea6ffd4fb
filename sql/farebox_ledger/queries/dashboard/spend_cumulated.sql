-- How did spend add up over the range? USD of what is known since its beginning, and attempts not fully priced since then; and the
-- month's budget, while the variables let everything through, NULL: there is none.
SELECT
    time,
    toFloat64(sum(known) OVER (ORDER BY time)) AS `spend`,
    (
        SELECT toFloat64(minIf(toNullable(amount), period = 'month' AND empty(applies_to)))
        FROM budgets_in_force(at = toDateTime($__toTime_ms))
        WHERE @all(route) AND @all(provider) AND @all(model) AND @all(tenant)
    ) AS `budget`,
    sum(doubtful) OVER (ORDER BY time) AS `not fully priced`
FROM
(
    SELECT
        toStartOfInterval(moment, toIntervalSecond(@interval())) AS time,
        sum(spend) AS known,
        sum(no_price + no_usage + partial) AS doubtful
    FROM @amounts($__fromTime_ms, $__toTime_ms, @interval() % 3600 != 0)
    GROUP BY time
)
ORDER BY time
