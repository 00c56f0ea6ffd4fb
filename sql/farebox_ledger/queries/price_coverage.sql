-- Which attempts of the period could not be priced for want of a price? One row a provider, model and reason; attempts and
-- the tokens known of them.
SELECT
    provider,
    model,
    price_reason,
    count() AS attempts,
    sum(ifNull(input_tokens, 0) + ifNull(output_tokens, 0)) AS known_tokens,
    max(started_at) AS last_at
FROM llm_attempts
WHERE started_at >= {since:DateTime64(6, 'UTC')}
    AND started_at < {until:DateTime64(6, 'UTC')}
    AND price_state = 'no_price'
GROUP BY provider, model, price_reason
ORDER BY attempts DESC, provider, model, price_reason
