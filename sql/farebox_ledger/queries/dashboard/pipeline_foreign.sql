-- Which other instrumentations report calls, and do they count? Calls of the range by scope: counted (nobody else reports them),
-- covered (farebox or another instrumentation does), pending (undecided, and so in no money yet).
SELECT
    scope AS `instrumentation`,
    countIf(decision = 'counts') AS `counted`,
    countIf(decision = 'covered') AS `covered`,
    countIf(decision = 'pending') AS `pending`
FROM foreign_attempts
WHERE started_at >= $__fromTime_ms AND started_at < $__toTime_ms AND @chosen(route) AND @chosen(provider)
GROUP BY scope
ORDER BY `counted` + `covered` + `pending` DESC, scope
LIMIT 50
