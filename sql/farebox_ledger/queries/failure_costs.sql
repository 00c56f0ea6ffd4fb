-- What did answers of the period cost that failed, by failure? One row a group and failure, and one of all groups
-- (total = 1). A failure is a detector or a family of them, as in failure_rates, or `disqualified` (it ended ok, but a
-- flag disqualifies it), or `any` (some flag of a failure). An answer with two flags stands in the row of each and once
-- in `any`: rows of one group do not add up. Spend in USD, the passes billed beside an answer included; it is what is
-- known, so at least that much if unpriced or partial is above 0, and NULL if nothing is. The rest are counts.
SELECT
    route,
    model,
    provider,
    total,
    toString(each.1) AS failure,
    each.2 AS answers,
    if(answers = unpriced, NULL, each.3) AS spend,
    each.4 AS unpriced,
    each.5 AS partial
FROM
(
    SELECT
        if(has({by:Array(String)}, 'route'), attempts.route, '') AS route,
        if(has({by:Array(String)}, 'model'), attempts.model, '') AS model,
        if(has({by:Array(String)}, 'provider'), attempts.provider, '') AS provider,
        grouping(route) AS total,
        sumMap(failures) AS failed,
        arrayJoin(arrayZip(failed.1, failed.2, failed.3, failed.4, failed.5)) AS each
    FROM attempts_between(since = {since:DateTime64(6, 'UTC')}, until = {until:DateTime64(6, 'UTC')}, by_tenant = {by_tenant:UInt8}, step_s = 3600) AS attempts
    WHERE ({route:String} = '' OR attempts.route = {route:String})
        AND ({model:String} = '' OR attempts.model = {model:String})
    GROUP BY GROUPING SETS ((route, model, provider), ())
)
ORDER BY total, route, model, provider, failure
