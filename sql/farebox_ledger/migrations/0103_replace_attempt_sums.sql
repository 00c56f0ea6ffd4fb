-- What attempts add up to: what a refresh counts into attempts_hourly, and what a query counts of hours that are dirty or
-- cut off. A pass that is billed beside its attempt (an iteration) is no answer: its money is in the spend of its own model,
-- and in what its attempt's failures cost. A failure is a detector (`refusal`), one of its kinds (`refusal.text`), or a
-- family: hedging, overconfidence. Costs have two more: `disqualified` (it ended ok, but a flag disqualifies it) and `any`
-- (some flag of a failure).
CREATE OR REPLACE VIEW attempt_sums
AS
WITH
    arrayJoin({levels:Array(UInt8)}) AS by_tenant,
    ['refusal', 'clarification', 'disclaimer'] AS hedgers,
    ['unknown_import', 'unknown_stdlib_attr', 'constraint_violation', 'tool_call_malformed', 'unexpected_arg'] AS overconfident,
    (names, found_here) -> arrayMap(name -> toUInt64(has(found_here, name)), names) AS has_each,
    each.kind != 'iteration' AS is_attempt,
    if(NOT is_attempt OR (list_cost IS NULL AND beside.cost IS NULL), NULL, ifNull(list_cost, 0) + ifNull(beside.cost, 0)) AS cost,
    list_cost IS NULL OR each.price_state = 'partial' OR beside.doubtful > 0 AS at_least,
    toUInt64(ifNull(cache_write_5m_tokens, 0)) + ifNull(cache_write_1h_tokens, 0) + ifNull(cache_write_unsplit_tokens, 0)
        + ifNull(cache_write_30m_tokens, 0) + ifNull(cache_write_12h_tokens, 0) AS written,
    -- What was looked for in an answer, and what was found of it.
    if(is_attempt, arrayDistinct(each.checked), []) AS detectors,
    arrayFilter(flag -> NOT startsWith(flag, 'not_checked.'), if(is_attempt, each.flags, [])) AS all_kinds,
    if(is_attempt, arrayFilter(flag -> has(detectors, splitByChar('.', flag)[1]), all_kinds), []) AS kinds,
    has(detectors, 'tool_call_malformed') AND ifNull(each.tool_calls_malformed <= each.tool_calls, 0) AS is_countable,
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
            OR (has(kinds, 'refusal.text') AND each.refusal_kind IN ('policy', 'partial')),
            ['hedging'], []
        ),
        if(
            hasAny(kinds, ['tool_call_malformed.unknown_tool', 'tool_call_malformed.unexpected_arg'])
            OR arrayExists(
                flag -> splitByChar('.', flag)[1] != 'tool_call_malformed' AND has(overconfident, splitByChar('.', flag)[1]),
                kinds
            ),
            ['overconfidence'], []
        )
    )) AS found,
    if(
        is_attempt,
        arrayDistinct(arrayMap(
            flag -> substring(flag, length('not_checked.') + 1),
            arrayFilter(flag -> startsWith(flag, 'not_checked.'), each.flags)
        )),
        []
    ) AS left_out,
    arrayDistinct(arrayConcat(looked_for, found, left_out)) AS judged,
    -- Whose money it was, checked or not.
    arrayDistinct(arrayMap(flag -> splitByChar('.', flag)[1], all_kinds)) AS families,
    arrayConcat(
        families,
        if(
            hasAny(all_kinds, ['clarification', 'disclaimer'])
            OR (has(all_kinds, 'refusal.text') AND each.refusal_kind IN ('policy', 'partial')),
            ['hedging'], []
        ),
        if(
            hasAny(all_kinds, ['tool_call_malformed.unknown_tool', 'tool_call_malformed.unexpected_arg'])
            OR hasAny(families, ['unknown_import', 'unknown_stdlib_attr', 'constraint_violation', 'unexpected_arg']),
            ['overconfidence'], []
        ),
        if(notEmpty(families) AND NOT each.good AND each.outcome = 'ok', ['disqualified'], []),
        if(arrayExists(name -> name != 'long_context', families), ['any'], [])
    ) AS failed_by
SELECT
    by_tenant,
    if(by_tenant, each.tenant, '') AS tenant,
    toStartOfInterval(each.started_at, toIntervalSecond({step_s:UInt32})) AS moment,
    if(by_tenant, '', each.service) AS service,
    if(by_tenant, '', each.environment) AS environment,
    each.route AS route,
    each.provider AS provider,
    each.model AS model,
    each.outcome AS outcome,
    each.price_state AS price_state,
    each.price_reason AS price_reason,
    each.price_id AS price_id,
    countIf(is_attempt) AS attempts,
    countIf(is_attempt AND each.outcome = 'ok') AS ended_ok,
    countIf(is_attempt AND good) AS good_attempts,
    sum(list_cost) AS spend,
    sum(cost_input) AS spend_input,
    sum(cost_cache_read) AS spend_cache_read,
    sum(cost_cache_write) AS spend_cache_write,
    sum(cost_output) AS spend_output,
    sum(cost_tools) AS spend_tools,
    sumIf(cost, is_attempt AND NOT good) AS spend_failed,
    sumIf((each.price_state IN ('no_price', 'no_usage', 'partial')) + beside.doubtful, is_attempt AND NOT good) AS failed_doubtful,
    max(list_cost) AS dearest,
    sumIf(reported_cost, each.price_state IN ('priced', 'free')) AS reported,
    sumIf(list_cost, each.price_state IN ('priced', 'free') AND reported_cost IS NOT NULL) AS spend_reported,
    countIf(reported_cost IS NOT NULL) AS rows_reported,
    countIf(each.price_state = 'no_price') AS no_price,
    countIf(each.price_state = 'no_usage') AS no_usage,
    countIf(each.price_state = 'partial') AS partial,
    sumIf(ifNull(input_tokens, 0) + ifNull(each.output_tokens, 0) + ifNull(audio_output_tokens, 0) + ifNull(image_output_tokens, 0), list_cost IS NULL) AS unpriced_tokens,
    ifNull(sum(input_tokens), 0) AS known_input_tokens,
    ifNull(sumIf(cache_read_tokens, input_tokens IS NOT NULL), 0) AS cached_tokens,
    sum(written) AS cache_written_tokens,
    countIf(ifNull(cache_read_tokens, 0) + written > 0) AS rows_cached,
    sum(ifNull(each.output_tokens, 0) + ifNull(audio_output_tokens, 0) + ifNull(image_output_tokens, 0)) AS output_tokens,
    ifNull(sum(each.reasoning_tokens), 0) AS reasoning_tokens,
    ifNull(sum(each.tool_calls), 0) AS tool_calls,
    ifNull(sumIf(each.tool_calls, is_countable), 0) AS tool_calls_checked,
    ifNull(sumIf(each.tool_calls_malformed, is_countable), 0) AS tool_calls_malformed,
    quantilesDDState(0.01, 0.5, 0.95, 0.99)(duration_ms) AS latencies,
    quantilesDDState(0.01, 0.5, 0.95, 0.99)(ttft_ms) AS first_tokens,
    sumMap(judged, has_each(judged, looked_for), has_each(judged, found), has_each(judged, left_out)) AS checks,
    sumMap(
        failed_by,
        arrayMap(name -> toUInt64(1), failed_by),
        arrayMap(name -> ifNull(cost, toDecimal128(0, 12)), failed_by),
        arrayMap(name -> toUInt64(cost IS NULL), failed_by),
        arrayMap(name -> toUInt64(cost IS NOT NULL AND at_least), failed_by)
    ) AS failures
FROM llm_attempts AS each
LEFT ANY JOIN
(
    SELECT
        toStartOfHour(started_at) AS hour,
        trace_id,
        call_id,
        attempt,
        sum(list_cost) AS cost,
        countIf(list_cost IS NULL OR price_state = 'partial') AS doubtful
    FROM stored_attempts FINAL
    WHERE toStartOfHour(started_at) IN ({hours:Array(DateTime('UTC'))}) AND kind = 'iteration'
    GROUP BY hour, trace_id, call_id, attempt
) AS beside ON beside.hour = toStartOfHour(each.started_at)
    AND beside.trace_id = each.trace_id
    AND beside.call_id = each.call_id
    AND beside.attempt = each.attempt
WHERE toStartOfHour(each.started_at) IN ({hours:Array(DateTime('UTC'))})
    AND each.started_at >= {since:DateTime64(6, 'UTC')}
    AND each.started_at < {until:DateTime64(6, 'UTC')}
GROUP BY by_tenant, tenant, moment, service, environment, route, provider, model, outcome, price_state, price_reason, price_id
COMMENT 'Attempts of some hours within a period, counted; columns as in attempts_between; parameters hours, since, until, levels (of them 0: all tenants together, 1: each by itself) and step_s, the seconds that are counted together'
