-- Which models are called that have no price? Attempts of the last hour, by model and provider: money that the ledger lacks.
SELECT toString(model) AS model, toString(provider) AS provider, count() AS value
FROM llm_attempts
WHERE started_at >= {until:DateTime64(3, 'UTC')} - INTERVAL 1 HOUR
    AND started_at < {until:DateTime64(3, 'UTC')}
    AND price_state = 'no_price'
GROUP BY model, provider
