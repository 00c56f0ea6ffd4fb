-- Which models answered in the period, by provider and route, how often, and for how much? Counts, and USD of what is known:
-- at least that much if unpriced is above 0, NULL if nothing is. The busiest first.
SELECT
    llm_attempts.route AS route,
    llm_attempts.provider AS provider,
    llm_attempts.model AS model,
    count() AS attempts,
    sum(list_cost) AS spend,
    countIf(list_cost IS NULL) AS unpriced,
    min(started_at) AS first_at,
    max(started_at) AS last_at
FROM llm_attempts
WHERE started_at >= {since:DateTime64(6, 'UTC')} AND started_at < {until:DateTime64(6, 'UTC')}
    AND kind != 'iteration'
    AND operation IN ('chat', 'text_completion', 'generate_content', 'responses')
    AND llm_attempts.model != ''
GROUP BY route, provider, model
ORDER BY attempts DESC, route, provider, model
