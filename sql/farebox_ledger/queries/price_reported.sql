-- Does what hosts say of a call's cost agree with the book? One row a provider and model whose host says it; USD of the
-- attempts for which both are known, and how many are unpriced here though the host named a cost.
SELECT
    provider,
    model,
    sumIf(rows_reported, price_state IN ('priced', 'free', 'partial')) AS attempts,
    sum(spend_reported) AS known_cost,
    sum(hours.reported) AS reported,
    sumIf(rows_reported, price_state IN ('no_price', 'no_usage')) AS unpriced,
    sumIf(rows_reported, price_state = 'partial') AS partial
FROM attempts_between(since = {since:DateTime64(6, 'UTC')}, until = {until:DateTime64(6, 'UTC')}, by_tenant = 0, step_s = 3600) AS hours
WHERE rows_reported > 0
GROUP BY provider, model
ORDER BY provider, model
