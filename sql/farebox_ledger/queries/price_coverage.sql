-- Which attempts of the period could not be priced for want of a price? One row a provider, model and reason; attempts, the
-- tokens known of them, and the hour in which the last of them began.
SELECT
    provider,
    model,
    price_reason,
    sum(no_price) AS attempts,
    sum(known_input_tokens + output_tokens) AS known_tokens,
    max(moment) AS last_at
FROM attempts_between(since = {since:DateTime64(6, 'UTC')}, until = {until:DateTime64(6, 'UTC')}, by_tenant = 0, step_s = 3600)
WHERE price_state = 'no_price'
GROUP BY provider, model, price_reason
ORDER BY attempts DESC, provider, model, price_reason
