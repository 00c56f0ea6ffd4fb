-- What did answers of the period cost that failed, by failure? One row a group and failure, and one of all groups
-- (total = 1). A failure is a detector or a family of them, as in failure_rates, or `disqualified` (it ended ok, but a
-- flag disqualifies it), or `any` (some flag of a failure). An answer with two flags stands in the row of each and once
-- in `any`: rows of one group do not add up. Spend in USD, the passes billed beside an answer included; it is what is
-- known, so at least that much if unpriced or partial is above 0, and NULL if nothing is. The rest are counts.
SELECT
    if(has({by:Array(String)}, 'route'), failed.route, '') AS route,
    if(has({by:Array(String)}, 'model'), failed.model, '') AS model,
    if(has({by:Array(String)}, 'provider'), failed.provider, '') AS provider,
    grouping(route) AS total,
    failure,
    count() AS answers,
    sum(cost) AS spend,
    countIf(cost IS NULL) AS unpriced,
    countIf(cost IS NOT NULL AND at_least) AS partial
FROM
(
    WITH
        arrayFilter(flag -> NOT startsWith(flag, 'not_checked.'), arrayMap(each -> toString(each), flags)) AS kinds,
        arrayDistinct(arrayMap(flag -> splitByChar('.', flag)[1], kinds)) AS detectors
    SELECT
        route,
        model,
        provider,
        if(list_cost IS NULL AND beside.cost IS NULL, NULL, ifNull(list_cost, 0) + ifNull(beside.cost, 0)) AS cost,
        list_cost IS NULL OR price_state = 'partial' OR beside.doubtful > 0 AS at_least,
        arrayJoin(arrayConcat(
            detectors,
            if(
                hasAny(kinds, ['clarification', 'disclaimer'])
                OR (has(kinds, 'refusal.text') AND refusal_kind IN ('policy', 'partial')),
                ['hedging'], []
            ),
            if(
                hasAny(kinds, ['tool_call_malformed.unknown_tool', 'tool_call_malformed.unexpected_arg'])
                OR hasAny(detectors, ['unknown_import', 'unknown_stdlib_attr', 'constraint_violation', 'unexpected_arg']),
                ['overconfidence'], []
            ),
            if(outcome = 'ok' AND NOT good, ['disqualified'], []),
            if(arrayExists(each -> each != 'long_context', detectors), ['any'], [])
        )) AS failure
    FROM llm_attempts
    LEFT JOIN
    (
        SELECT
            trace_id,
            call_id,
            attempt,
            sum(list_cost) AS cost,
            countIf(list_cost IS NULL OR price_state = 'partial') AS doubtful
        FROM llm_attempts
        WHERE started_at >= {since:DateTime64(6, 'UTC')}
            AND started_at < {until:DateTime64(6, 'UTC')}
            AND kind = 'iteration'
        GROUP BY trace_id, call_id, attempt
    ) AS beside USING (trace_id, call_id, attempt)
    WHERE started_at >= {since:DateTime64(6, 'UTC')}
        AND started_at < {until:DateTime64(6, 'UTC')}
        AND ({route:String} = '' OR llm_attempts.route = {route:String})
        AND ({model:String} = '' OR llm_attempts.model = {model:String})
        AND kind != 'iteration'
        AND notEmpty(kinds)
) AS failed
GROUP BY GROUPING SETS ((route, model, provider, failure), (failure))
ORDER BY total, route, model, provider, failure
