-- What checked answers add up to by some traits: what a refresh counts into answers_hourly, and what a query counts of hours
-- that are dirty or cut off. Families and rates are those of failure_rates.
CREATE OR REPLACE VIEW answer_sums
AS
WITH arrayJoin({levels:Array(UInt8)}) AS by_tenant
SELECT
    by_tenant,
    if(by_tenant, each.tenant, '') AS tenant,
    toStartOfHour(each.started_at) AS hour,
    each.route AS route,
    each.provider AS provider,
    each.model AS model,
    trait.1 AS trait_name,
    trait.2 AS trait_value,
    count() AS answers,
    countIf(trait.3) AS bad,
    countIf(trait.1 != 'tool' AND hasAny(detectors, ['refusal', 'clarification', 'disclaimer'])) AS hedging_checked,
    countIf(
        trait.1 != 'tool'
        AND (
            hasAny(kinds, ['clarification', 'disclaimer'])
            OR (has(kinds, 'refusal.text') AND refusal_kind IN ('policy', 'partial'))
        )
    ) AS hedging,
    countIf(trait.1 != 'tool' AND hasAny(detectors, overconfident)) AS overconfidence_checked,
    countIf(
        trait.1 != 'tool'
        AND (
            hasAny(kinds, ['tool_call_malformed.unknown_tool', 'tool_call_malformed.unexpected_arg'])
            OR arrayExists(
                flag -> splitByChar('.', flag)[1] != 'tool_call_malformed' AND has(overconfident, splitByChar('.', flag)[1]), kinds
            )
        )
    ) AS overconfidence,
    sumIf(ifNull(tool_calls, 0), trait.1 != 'tool' AND countable) AS calls_checked,
    sumIf(ifNull(tool_calls_malformed, 0), trait.1 != 'tool' AND countable) AS calls_malformed,
    sumMap(mapFromArrays(trait.4, arrayMap(each -> toUInt64(1), trait.4))) AS counts,
    sumIf(list_cost, trait.3) AS spend_bad,
    countIf(trait.3 AND price_state IN ('no_price', 'no_usage', 'partial')) AS doubtful
FROM
(
    WITH
        ['unknown_import', 'unknown_stdlib_attr', 'constraint_violation', 'tool_call_malformed', 'unexpected_arg'] AS overconfident,
        outcome = 'ok' AND notEmpty(checked) AS judged,
        substring(toString(arrayFirst(flag -> startsWith(flag, 'tool_call_malformed.'), flags)), 21) AS broken
    SELECT
        tenant,
        started_at,
        route,
        provider,
        model,
        input_tokens,
        refusal_kind,
        tool_calls,
        tool_calls_malformed,
        list_cost,
        price_state,
        overconfident,
        arrayDistinct(arrayMap(found -> toString(found), checked)) AS detectors,
        arrayFilter(
            flag -> NOT startsWith(flag, 'not_checked.') AND has(detectors, splitByChar('.', flag)[1]),
            arrayMap(found -> toString(found), flags)
        ) AS kinds,
        arrayDistinct(arrayFilter(found -> found != 'long_context', arrayMap(flag -> splitByChar('.', flag)[1], kinds))) AS failures,
        has(detectors, 'tool_call_malformed') AND ifNull(tool_calls_malformed <= tool_calls, 0) AS countable,
        arrayFilter(
            trait -> has({traits:Array(String)}, trait.1),
            arrayConcat(
                if(
                    judged,
                    [
                        (
                            'length',
                            multiIf(
                                input_tokens IS NULL, '(not known)',
                                input_tokens <= 1000, 'up to 1,000',
                                input_tokens <= 4000, 'up to 4,000',
                                input_tokens <= 16000, 'up to 16,000',
                                input_tokens <= 64000, 'up to 64,000',
                                input_tokens <= 150000, 'up to 150,000',
                                'above 150,000'
                            ),
                            NOT good,
                            failures
                        ),
                        ('version', toString(prompt_version), NOT good, failures),
                        ('language', toString(language), NOT good, failures)
                    ],
                    []
                ),
                if(
                    has(detectors, 'tool_call_malformed'),
                    arrayMap(
                        tool -> ('tool', tool, has(malformed_tools, tool), if(has(malformed_tools, tool), [broken], [])),
                        arrayDistinct(arrayMap(tool -> toString(tool), arrayConcat(tool_names, malformed_tools)))
                    ),
                    []
                )
            )
        ) AS traits
    FROM llm_attempts
    WHERE toStartOfHour(started_at) IN ({hours:Array(DateTime('UTC'))})
        AND started_at >= {since:DateTime64(6, 'UTC')}
        AND started_at < {until:DateTime64(6, 'UTC')}
        AND kind != 'iteration'
        AND notEmpty(checked)
) AS each
ARRAY JOIN traits AS trait
GROUP BY by_tenant, tenant, hour, route, provider, model, trait_name, trait_value
COMMENT 'Checked answers of some hours within a period, counted by some traits; columns as in answers_hourly; parameters hours, since, until, levels (of them 0: all tenants together, 1: each by itself) and traits'
