-- How long did attempts that began in the period take? One row a group and one of all (total = 1); milliseconds, exact: each
-- is a duration that occurred. For periods with few attempts; report_attempts has the same of any period, one percent off.
SELECT
    if(has({by:Array(String)}, 'route'), llm_attempts.route, '') AS route,
    if(has({by:Array(String)}, 'model'), llm_attempts.model, '') AS model,
    if(has({by:Array(String)}, 'provider'), llm_attempts.provider, '') AS provider,
    grouping(route) AS total,
    quantileExact(0.5)(duration_ms) AS latency_p50_ms,
    quantileExact(0.95)(duration_ms) AS latency_p95_ms
FROM llm_attempts
WHERE started_at >= {since:DateTime64(6, 'UTC')}
    AND started_at < {until:DateTime64(6, 'UTC')}
    AND ({route:String} = '' OR llm_attempts.route = {route:String})
    AND ({model:String} = '' OR llm_attempts.model = {model:String})
GROUP BY GROUPING SETS ((route, model, provider), ())
