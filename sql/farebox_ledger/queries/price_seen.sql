-- How much of the period's traffic has a price, and is any of it approximate? One row a provider and model; attempts, how
-- many could not be priced, how many in part, and USD known of them.
SELECT
    provider,
    model,
    count() AS attempts,
    sum(list_cost) AS known_cost,
    countIf(list_cost IS NULL) AS unpriced,
    countIf(price_state = 'partial') AS partial,
    countIf(price_id IN (SELECT price_spans.price_id FROM price_spans WHERE approximate)) AS approximate
FROM llm_attempts
WHERE started_at >= {since:DateTime64(6, 'UTC')} AND started_at < {until:DateTime64(6, 'UTC')}
GROUP BY provider, model
ORDER BY attempts DESC, provider, model
