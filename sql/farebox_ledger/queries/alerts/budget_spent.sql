-- Which budgets are spent before their period is over? The share of the amount that is, 1 being all of it, by budget; USD of
-- what is known. A budget of nothing counts as spent a thousand times once anything is.
SELECT
    name AS budget,
    ifNull(burn, if(state = 'exhausted' AND ifNull(spend, 0) > 0, 1000, 0)) AS value,
    ifNull(toFloat64(spend), 0) AS spent,
    toFloat64(amount) AS amount,
    unpriced AS not_priced
FROM budget_burn(at = toDateTime({until:DateTime64(3, 'UTC')}, 'UTC'))
