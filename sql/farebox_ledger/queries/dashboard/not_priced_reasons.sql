-- Why could attempts of the range not be priced, or not in full? Attempts a reason.
SELECT
    toString(price_state) AS `state`,
    toString(price_reason) AS `reason`,
    count() AS `attempts`
FROM llm_attempts
WHERE started_at >= $__fromTime_ms AND started_at < $__toTime_ms
    AND price_state IN ('no_price', 'no_usage', 'partial')
    AND @chosen(route) AND @chosen(provider) AND @chosen(model) AND @chosen(tenant)
GROUP BY price_state, price_reason
ORDER BY `attempts` DESC, `state`, `reason`
LIMIT 50
