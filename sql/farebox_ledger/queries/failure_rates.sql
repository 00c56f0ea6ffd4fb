-- How often did answers of the period fail, over those that were checked for it? One row a group and failure, and one of
-- all groups (total = 1). A failure is a detector (`refusal`), one of its kinds (`refusal.text`), or a family of them
-- (`hedging`, `overconfidence`); `unit` says what is counted: the detector `tool_call_malformed` is per tool call, all
-- others per answer. checked, failed and not_checked (answers at which the detector stopped at a limit) are counts; rate
-- and its 95 % interval low to high (Wilson 1927) are shares from 0 to 1, NULL if nothing was checked.
WITH
    1.959963984540054 AS z,
    failed + z * z / 2 AS centre,
    z * sqrt(failed * (checked - failed) / checked + z * z / 4) AS reach
SELECT
    route,
    model,
    provider,
    total,
    failure,
    unit,
    checked,
    failed,
    not_checked,
    if(checked = 0, NULL, failed / checked) AS rate,
    multiIf(checked = 0, NULL, failed = 0, 0, (centre - reach) / (checked + z * z)) AS low,
    multiIf(checked = 0, NULL, failed = checked, 1, (centre + reach) / (checked + z * z)) AS high
FROM
(
    WITH
        splitByChar('.', failure)[1] AS detector,
        indexOf(counted.1, detector) AS of_detector
    SELECT
        route,
        model,
        provider,
        total,
        arrayJoin(counted.1) AS failure,
        if(failure = 'tool_call_malformed', 'tool call', 'answer') AS unit,
        if(unit = 'answer', counted.2[of_detector], calls_checked) AS checked,
        if(unit = 'answer', counted.3[indexOf(counted.1, failure)], calls_failed) AS failed,
        counted.4[of_detector] AS not_checked
    FROM
    (
        SELECT
            if(has({by:Array(String)}, 'route'), attempts.route, '') AS route,
            if(has({by:Array(String)}, 'model'), attempts.model, '') AS model,
            if(has({by:Array(String)}, 'provider'), attempts.provider, '') AS provider,
            grouping(route) AS total,
            sumMap(checks) AS counted,
            sum(tool_calls_checked) AS calls_checked,
            sum(tool_calls_malformed) AS calls_failed
        FROM attempts_between(since = {since:DateTime64(6, 'UTC')}, until = {until:DateTime64(6, 'UTC')}, by_tenant = {by_tenant:UInt8}, step_s = 3600) AS attempts
        WHERE ({route:String} = '' OR attempts.route = {route:String})
            AND ({model:String} = '' OR attempts.model = {model:String})
        GROUP BY GROUPING SETS ((route, model, provider), ())
    )
)
ORDER BY total, route, model, provider, failure
