-- Answers of the range that were checked for failures, by @value: how many a flag disqualifies, how many of those checked for
-- it hedge or are overconfident, tool calls that are malformed, and what disqualified answers cost. Families and rates are
-- those of failure_rates.
(
    SELECT
        toString(@value) AS value,
        count() AS answers,
        countIf(NOT good) AS bad,
        countIf(hasAny(detectors, ['refusal', 'clarification', 'disclaimer'])) AS hedging_checked,
        countIf(
            hasAny(kinds, ['clarification', 'disclaimer'])
            OR (has(kinds, 'refusal.text') AND refusal_kind IN ('policy', 'partial'))
        ) AS hedging,
        countIf(hasAny(detectors, overconfident)) AS overconfidence_checked,
        countIf(
            hasAny(kinds, ['tool_call_malformed.unknown_tool', 'tool_call_malformed.unexpected_arg'])
            OR arrayExists(
                flag -> splitByChar('.', flag)[1] != 'tool_call_malformed' AND has(overconfident, splitByChar('.', flag)[1]), kinds
            )
        ) AS overconfidence,
        sumIf(ifNull(tool_calls, 0), countable) AS calls_checked,
        sumIf(ifNull(tool_calls_malformed, 0), countable) AS calls_malformed,
        sumMap(mapFromArrays(failures, arrayMap(each -> toUInt64(1), failures))) AS counts,
        ifNull(arrayReverseSort(each -> (counts[each], each), mapKeys(counts))[1], '') AS top,
        sumIf(list_cost, NOT good) AS known,
        countIf(NOT good AND price_state IN ('no_price', 'no_usage', 'partial')) AS doubtful,
        min(llm_attempts.input_tokens) AS least_input
    FROM
    (
        WITH
            ['unknown_import', 'unknown_stdlib_attr', 'constraint_violation', 'tool_call_malformed', 'unexpected_arg'] AS overconfident
        SELECT
            *,
            overconfident,
            arrayDistinct(arrayMap(each -> toString(each), checked)) AS detectors,
            arrayFilter(
                flag -> NOT startsWith(flag, 'not_checked.') AND has(detectors, splitByChar('.', flag)[1]),
                arrayMap(each -> toString(each), flags)
            ) AS kinds,
            arrayDistinct(arrayFilter(each -> each != 'long_context', arrayMap(flag -> splitByChar('.', flag)[1], kinds))) AS failures,
            has(detectors, 'tool_call_malformed') AND ifNull(tool_calls_malformed <= tool_calls, 0) AS countable
        FROM llm_attempts
        WHERE started_at >= $__fromTime_ms AND started_at < $__toTime_ms AND kind != 'iteration' AND outcome = 'ok' AND notEmpty(checked)
            AND @chosen(route) AND @chosen(provider) AND @chosen(model) AND @chosen(tenant)
    ) AS llm_attempts
    GROUP BY value
)
