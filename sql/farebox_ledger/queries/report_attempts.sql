-- What did attempts that began in the period cost, by class of what was billed, how fast were they, how much came from the
-- cache, and how many could not be priced? One row a group and one of all (total = 1). Spend in USD, latencies in
-- milliseconds, one percent off at most, the rest counts; spend is what is known, so at least that much if no_price,
-- no_usage or partial is above 0, and NULL if nothing is.
SELECT
    if(has({by:Array(String)}, 'route'), counted.route, '') AS route,
    if(has({by:Array(String)}, 'model'), counted.model, '') AS model,
    if(has({by:Array(String)}, 'provider'), counted.provider, '') AS provider,
    grouping(route) AS total,
    sum(counted.attempts) AS attempts,
    sum(counted.spend) AS spend,
    sum(counted.spend_input) AS spend_input,
    sum(counted.spend_cache_read) AS spend_cache_read,
    sum(counted.spend_cache_write) AS spend_cache_write,
    sum(counted.spend_output) AS spend_output,
    sum(counted.spend_tools) AS spend_tools,
    sum(counted.no_price) AS no_price,
    sum(counted.no_usage) AS no_usage,
    sum(counted.partial) AS partial,
    sum(counted.cached_tokens) AS cached_tokens,
    sum(counted.known_input_tokens) AS known_input_tokens,
    quantilesDDMerge(0.01, 0.5, 0.95, 0.99)(latencies) AS quantiles,
    ifNotFinite(quantiles[1], NULL) AS latency_p50_ms,
    ifNotFinite(quantiles[2], NULL) AS latency_p95_ms
FROM attempts_between(since = {since:DateTime64(6, 'UTC')}, until = {until:DateTime64(6, 'UTC')}, by_tenant = 0, step_s = 3600) AS counted
WHERE ({route:String} = '' OR counted.route = {route:String})
    AND ({model:String} = '' OR counted.model = {model:String})
GROUP BY GROUPING SETS ((route, model, provider), ())
ORDER BY total, spend DESC, attempts DESC, route, model, provider
