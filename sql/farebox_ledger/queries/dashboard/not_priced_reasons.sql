-- Why could attempts of the range not be priced, or not in full? Attempts a reason.
SELECT
    toString(price_state) AS `state`,
    toString(price_reason) AS `reason`,
    sum(no_price + no_usage + partial) AS `attempts`
FROM @amounts($__fromTime_ms, $__toTime_ms, 0)
WHERE price_state IN ('no_price', 'no_usage', 'partial')
GROUP BY price_state, price_reason
ORDER BY `attempts` DESC, `state`, `reason`
LIMIT 50
