-- What attempts and calls add up to in the range (stretch 0) and in what it is compared with, of what the dashboard's variables
-- let through: the same hours of each of the seven days before (stretches 1 to 7); of a range longer than a day, the same days
-- one week before, or as many weeks as it takes (stretch 1). Whole hours are read from rollups, those that a stretch cuts off
-- and those whose rollups are stale attempt by attempt. `billed` are attempts with usage, passes
-- beside them not counted; calls are those that began.
(
    WITH
        toUnixTimestamp64Milli(toDateTime64($__fromTime_ms, 3, 'UTC')) * 1000 AS since_us,
        toUnixTimestamp64Milli(toDateTime64($__toTime_ms, 3, 'UTC')) * 1000 AS until_us,
        greatest(until_us - since_us, 1) AS length_us,
        length_us <= 86400000000 AS within_a_day,
        if(within_a_day, 86400000000, intDiv(length_us + 604799999999, 604800000000) * 604800000000) AS step_us,
        if(within_a_day, 7, 1) AS steps,
        intDiv(since_us, 3600000000) * 3600 AS first_hour_s,
        arrayMap(hour -> first_hour_s + hour * 3600, range(toUInt32(intDiv(until_us - 1, 3600000000) - intDiv(since_us, 3600000000) + 1))) AS hours_s,
        (SELECT hours FROM dirty_hours) AS dirty,
        arrayFlatten(arrayMap(
            step -> arrayMap(hour_s -> toDateTime(hour_s - intDiv(step * step_us, 1000000), 'UTC'), hours_s), range(toUInt32(steps + 1))
        )) AS hours,
        arrayFlatten(arrayMap(
            step -> arrayMap(
                hour_s -> toDateTime(hour_s - intDiv(step * step_us, 1000000), 'UTC'),
                arrayFilter(hour_s -> hour_s * 1000000 >= since_us AND (hour_s + 3600) * 1000000 <= until_us, hours_s)
            ),
            range(toUInt32(steps + 1))
        )) AS whole_hours,
        (SELECT arrayFilter(each -> NOT has(dirty, each), whole_hours)) AS rolled_up,
        (SELECT arrayFilter(each -> NOT has(rolled_up, each), hours)) AS one_by_one
    SELECT
        toUInt8(intDiv(until_us - toUnixTimestamp(hour) * 1000000 - 1, step_us)) AS stretch,
        toString(route) AS route,
        toString(provider) AS provider,
        toString(model) AS model,
        toUInt64(0) AS calls,
        if(price_state IN ('priced', 'partial'), attempts, 0) AS billed,
        spend,
        spend_input AS cost_uncached,
        spend_cache_read AS cost_read,
        spend_cache_write AS cost_written,
        spend_output AS cost_output,
        spend_tools AS cost_tools,
        no_price + no_usage + partial AS doubts,
        if(price_state IN ('priced', 'partial'), known_input_tokens, 0) AS units_in,
        if(price_state IN ('priced', 'partial'), cached_tokens, 0) AS units_read,
        if(price_state IN ('priced', 'partial'), cache_written_tokens, 0) AS units_written,
        if(price_state IN ('priced', 'partial'), output_tokens, 0) AS units_output
    FROM attempts_hourly FINAL
    WHERE by_tenant = if(@all(tenant), 0, 1) AND hour IN (rolled_up) AND (attempts > 0 OR spend IS NOT NULL OR no_price + no_usage > 0)
        AND @chosen(route) AND @chosen(provider) AND @chosen(model) AND @chosen(tenant)
    UNION ALL
    SELECT
        toUInt8(intDiv(until_us - toUnixTimestamp(hour) * 1000000 - 1, step_us)),
        toString(route),
        toString(provider),
        toString(model),
        calls,
        0,
        NULL,
        NULL,
        NULL,
        NULL,
        NULL,
        NULL,
        0,
        0,
        0,
        0,
        0
    FROM tasks_hourly FINAL
    WHERE by_tenant = if(@all(tenant), 0, 1) AND hour IN (rolled_up) AND calls > 0
        AND @chosen(route) AND @chosen(provider) AND @chosen(model) AND @chosen(tenant)
    UNION ALL
    SELECT
        toUInt8(intDiv(until_us - toUnixTimestamp64Micro(started_at) - 1, step_us)) AS stretch,
        toString(route),
        toString(provider),
        toString(model),
        countIf(attempt = 0 AND kind != 'iteration'),
        countIf(counts AND kind != 'iteration'),
        sum(list_cost),
        sum(cost_input),
        sum(cost_cache_read),
        sum(cost_cache_write),
        sum(cost_output),
        sum(cost_tools),
        countIf(price_state IN ('no_price', 'no_usage', 'partial')),
        ifNull(sumIf(input_tokens, counts), 0),
        ifNull(sumIf(cache_read_tokens, counts AND input_tokens IS NOT NULL), 0),
        sumIf(
            toUInt64(ifNull(cache_write_5m_tokens, 0)) + ifNull(cache_write_1h_tokens, 0) + ifNull(cache_write_unsplit_tokens, 0)
                + ifNull(cache_write_30m_tokens, 0) + ifNull(cache_write_12h_tokens, 0),
            counts
        ),
        sumIf(toUInt64(ifNull(output_tokens, 0)) + ifNull(audio_output_tokens, 0) + ifNull(image_output_tokens, 0), counts)
    FROM (SELECT *, price_state IN ('priced', 'partial') AS counts FROM llm_attempts) AS llm_attempts
    WHERE toStartOfHour(started_at) IN (SELECT arrayJoin(one_by_one))
        AND started_at >= fromUnixTimestamp64Micro(since_us - steps * step_us) AND started_at < fromUnixTimestamp64Micro(until_us)
        AND until_us - toUnixTimestamp64Micro(started_at) - stretch * step_us <= length_us
        AND @chosen(route) AND @chosen(provider) AND @chosen(model) AND @chosen(tenant)
    GROUP BY stretch, route, provider, model
)
