-- What did attempts that began in the period cost, by class of what was billed, how fast were they, how much came from the cache, and how many could
-- not be priced? One row a group and one of all (total = 1). Spend in USD, latencies in milliseconds, the rest counts;
-- spend is what is known, so at least that much if no_price, no_usage or partial is above 0, and NULL if nothing is.
SELECT
    if(has({by:Array(String)}, 'route'), llm_attempts.route, '') AS route,
    if(has({by:Array(String)}, 'model'), llm_attempts.model, '') AS model,
    if(has({by:Array(String)}, 'provider'), llm_attempts.provider, '') AS provider,
    grouping(route) AS total,
    countIf(kind != 'iteration') AS attempts,
    sum(list_cost) AS spend,
    sum(cost_input) AS spend_input,
    sum(cost_cache_read) AS spend_cache_read,
    sum(cost_cache_write) AS spend_cache_write,
    sum(cost_output) AS spend_output,
    sum(cost_tools) AS spend_tools,
    countIf(price_state = 'no_price') AS no_price,
    countIf(price_state = 'no_usage') AS no_usage,
    countIf(price_state = 'partial') AS partial,
    sumIf(cache_read_tokens, input_tokens IS NOT NULL) AS cached_tokens,
    sum(input_tokens) AS known_input_tokens,
    quantileExact(0.5)(duration_ms) AS latency_p50_ms,
    quantileExact(0.95)(duration_ms) AS latency_p95_ms
FROM llm_attempts
WHERE started_at >= {since:DateTime64(6, 'UTC')}
    AND started_at < {until:DateTime64(6, 'UTC')}
    AND ({route:String} = '' OR llm_attempts.route = {route:String})
    AND ({model:String} = '' OR llm_attempts.model = {model:String})
GROUP BY GROUPING SETS ((route, model, provider), ())
ORDER BY total, spend DESC, attempts DESC, route, model, provider
