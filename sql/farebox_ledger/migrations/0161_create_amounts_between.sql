-- Money, tokens and counts of any period, as attempts_between has them: whole hours from the rollup, hours that are dirty or
-- cut off counted now, and all of them where steps are no whole hours.
CREATE VIEW IF NOT EXISTS amounts_between
AS
WITH
    toStartOfHour({since:DateTime64(6, 'UTC')}) AS since_hour,
    toStartOfHour({until:DateTime64(6, 'UTC')}) AS last_hour,
    since_hour + if(since_hour = {since:DateTime64(6, 'UTC')}, 0, 3600) AS first_hour,
    {step_s:UInt32} % 3600 != 0 AS fine,
    (SELECT hours FROM dirty_hours) AS dirty,
    (
        SELECT if(
            fine,
            arrayMap(each -> toDateTime(since_hour + each * 3600, 'UTC'), range(if(fine, toUInt32(intDiv(last_hour - since_hour, 3600) + 1), 0))),
            arrayDistinct(arrayConcat(
                arrayFilter(each -> each >= first_hour AND each < last_hour, dirty),
                if(since_hour = first_hour, [], [since_hour]),
                if(last_hour = {until:DateTime64(6, 'UTC')}, [], [last_hour])
            ))
        )
    ) AS counted_now
SELECT
    tenant,
    hour AS moment,
    route,
    provider,
    model,
    outcome,
    price_state,
    price_reason,
    price_id,
    attempts,
    ended_ok,
    good_attempts,
    spend,
    spend_input,
    spend_cache_read,
    spend_cache_write,
    spend_output,
    spend_tools,
    dearest,
    no_price,
    no_usage,
    partial,
    known_input_tokens,
    cached_tokens,
    cache_written_tokens,
    rows_cached,
    output_tokens,
    reasoning_tokens,
    tool_calls_checked,
    tool_calls_malformed
FROM attempts_hourly FINAL
WHERE NOT fine AND by_tenant = {by_tenant:UInt8} AND hour >= first_hour AND hour < last_hour AND hour NOT IN (dirty)
    AND (attempts > 0 OR spend IS NOT NULL OR no_price + no_usage > 0)
UNION ALL
SELECT
    tenant,
    moment,
    route,
    provider,
    model,
    outcome,
    price_state,
    price_reason,
    price_id,
    attempts,
    ended_ok,
    good_attempts,
    spend,
    spend_input,
    spend_cache_read,
    spend_cache_write,
    spend_output,
    spend_tools,
    dearest,
    no_price,
    no_usage,
    partial,
    known_input_tokens,
    cached_tokens,
    cache_written_tokens,
    rows_cached,
    output_tokens,
    reasoning_tokens,
    tool_calls_checked,
    tool_calls_malformed
FROM amount_sums(hours = counted_now, since = {since:DateTime64(6, 'UTC')}, until = {until:DateTime64(6, 'UTC')}, levels = [{by_tenant:UInt8}], step_s = {step_s:UInt32})
COMMENT 'The columns of attempts_between that count money and tokens, planned in less than half the time; the same parameters'
