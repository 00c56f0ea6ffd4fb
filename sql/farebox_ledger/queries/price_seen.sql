-- How much of the period's traffic has a price, and is any of it approximate? One row a provider and model; attempts, how
-- many could not be priced, how many in part, and USD known of them.
SELECT
    provider,
    model,
    sum(hours.attempts) AS attempts,
    sum(spend) AS known_cost,
    sum(no_price + no_usage) AS unpriced,
    sum(hours.partial) AS partial,
    sumIf(hours.attempts, price_id IN (SELECT price_spans.price_id FROM price_spans WHERE approximate)) AS approximate
FROM attempts_between(since = {since:DateTime64(6, 'UTC')}, until = {until:DateTime64(6, 'UTC')}, by_tenant = 0, step_s = 3600) AS hours
GROUP BY provider, model
ORDER BY attempts DESC, provider, model
