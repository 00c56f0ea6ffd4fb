-- Which models are called that have no price? Attempts of the last hour, by model and provider: money that the ledger lacks.
SELECT toString(model) AS model, toString(provider) AS provider, count() AS attempts
FROM llm_attempts
WHERE started_at >= $__toTime_ms - INTERVAL 1 HOUR AND started_at < $__toTime_ms AND price_state = 'no_price'
GROUP BY model, provider
