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
    WITH splitByChar('.', failure)[1] AS detector
    SELECT
        route,
        model,
        provider,
        total,
        arrayJoin(arrayDistinct(arrayConcat(mapKeys(checked_by), mapKeys(failed_by), mapKeys(not_checked_by)))) AS failure,
        if(failure = 'tool_call_malformed', 'tool call', 'answer') AS unit,
        if(unit = 'answer', checked_by[detector], calls_checked) AS checked,
        if(unit = 'answer', failed_by[failure], calls_failed) AS failed,
        not_checked_by[detector] AS not_checked
    FROM
    (
        SELECT
            if(has({by:Array(String)}, 'route'), judged.route, '') AS route,
            if(has({by:Array(String)}, 'model'), judged.model, '') AS model,
            if(has({by:Array(String)}, 'provider'), judged.provider, '') AS provider,
            grouping(route) AS total,
            sumMap(mapFromArrays(looked_for, arrayMap(each -> toUInt64(1), looked_for))) AS checked_by,
            sumMap(mapFromArrays(found, arrayMap(each -> toUInt64(1), found))) AS failed_by,
            sumMap(mapFromArrays(left_out, arrayMap(each -> toUInt64(1), left_out))) AS not_checked_by,
            sumIf(calls, countable) AS calls_checked,
            sumIf(calls_malformed, countable) AS calls_failed
        FROM
        (
            WITH
                ['refusal', 'clarification', 'disclaimer'] AS hedgers,
                ['unknown_import', 'unknown_stdlib_attr', 'constraint_violation', 'tool_call_malformed', 'unexpected_arg'] AS overconfident,
                arrayDistinct(arrayMap(each -> toString(each), checked)) AS detectors,
                arrayFilter(
                    flag -> NOT startsWith(flag, 'not_checked.') AND has(detectors, splitByChar('.', flag)[1]),
                    arrayMap(each -> toString(each), flags)
                ) AS kinds
            SELECT
                route,
                model,
                provider,
                arrayConcat(
                    detectors,
                    if(hasAny(detectors, hedgers), ['hedging'], []),
                    if(hasAny(detectors, overconfident), ['overconfidence'], [])
                ) AS looked_for,
                arrayDistinct(arrayConcat(
                    kinds,
                    arrayMap(flag -> splitByChar('.', flag)[1], kinds),
                    if(
                        hasAny(kinds, ['clarification', 'disclaimer'])
                        OR (has(kinds, 'refusal.text') AND refusal_kind IN ('policy', 'partial')),
                        ['hedging'], []
                    ),
                    if(
                        hasAny(kinds, ['tool_call_malformed.unknown_tool', 'tool_call_malformed.unexpected_arg'])
                        OR arrayExists(
                            flag -> splitByChar('.', flag)[1] != 'tool_call_malformed'
                                AND has(overconfident, splitByChar('.', flag)[1]),
                            kinds
                        ),
                        ['overconfidence'], []
                    )
                )) AS found,
                arrayDistinct(arrayMap(
                    flag -> substring(flag, length('not_checked.') + 1),
                    arrayFilter(flag -> startsWith(flag, 'not_checked.'), arrayMap(each -> toString(each), flags))
                )) AS left_out,
                toUInt64(ifNull(tool_calls, 0)) AS calls,
                toUInt64(ifNull(tool_calls_malformed, 0)) AS calls_malformed,
                has(detectors, 'tool_call_malformed') AND ifNull(tool_calls_malformed <= tool_calls, 0) AS countable
            FROM llm_attempts
            WHERE started_at >= {since:DateTime64(6, 'UTC')}
                AND started_at < {until:DateTime64(6, 'UTC')}
                AND ({route:String} = '' OR llm_attempts.route = {route:String})
                AND ({model:String} = '' OR llm_attempts.model = {model:String})
                AND kind != 'iteration' -- a pass that is billed beside its attempt, which bears the flags
                AND (notEmpty(checked) OR notEmpty(flags))
        ) AS judged
        GROUP BY GROUPING SETS ((route, model, provider), ())
    )
)
ORDER BY total, route, model, provider, failure
