-- How much of each budget is spent at the end of the range, and what will it come to? One row a budget, the most burnt first: USD of
-- what is known in its period, what is left, what it comes to by the period's end if spending goes on as lately; shares of the
-- amount. Whatever the variables say: a budget says itself what it counts. NULL: nothing is known, or the amount is 0.
SELECT
    name AS `budget`,
    scope AS `of what`,
    toString(period) AS `period`,
    toFloat64(amount) AS `amount`,
    toFloat64(spend) AS `spend`,
    burn AS `burnt`,
    toFloat64(remaining) AS `left`,
    toFloat64(forecast) AS `forecast`,
    forecast_burn AS `forecast, share`,
    state AS `state`,
    period_end AS `until`,
    unpriced + partial AS `not fully priced`
FROM budget_burn(at = toDateTime($__toTime_ms))
ORDER BY burn DESC NULLS FIRST, name
LIMIT 100
