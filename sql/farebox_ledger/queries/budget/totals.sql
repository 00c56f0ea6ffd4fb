-- How much of each budget is spent, for applications that warn of calls or refuse them? USD as text; spend is what is known
-- (unpriced says of how many attempts nothing is), NULL where nothing is.
SELECT
    name,
    applies_to,
    toString(amount) AS amount,
    toString(spend) AS spend,
    unpriced,
    state,
    formatDateTime(period_end, '%Y-%m-%dT%H:%i:%SZ', 'UTC') AS period_end
FROM budget_burn(at = now('UTC'))
ORDER BY name
