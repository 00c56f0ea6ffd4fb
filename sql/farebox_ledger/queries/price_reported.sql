-- Does what hosts say of a call's cost agree with the book? One row a provider and model whose host says it; USD of the
-- attempts for which both are known, and how many are unpriced here though the host named a cost.
SELECT
    provider,
    model,
    countIf(list_cost IS NOT NULL) AS attempts,
    sumIf(list_cost, price_state IN ('priced', 'free')) AS known_cost,
    sumIf(reported_cost, price_state IN ('priced', 'free')) AS reported,
    countIf(list_cost IS NULL) AS unpriced,
    countIf(price_state = 'partial') AS partial
FROM llm_attempts
WHERE started_at >= {since:DateTime64(6, 'UTC')}
    AND started_at < {until:DateTime64(6, 'UTC')}
    AND reported_cost IS NOT NULL
GROUP BY provider, model
ORDER BY provider, model
