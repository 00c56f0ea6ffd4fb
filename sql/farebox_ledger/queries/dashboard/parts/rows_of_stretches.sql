-- Single rows of the ledger that the variables let through, of the range (stretch 0) and of what it is compared with: the
-- same hours of each of the seven days before (stretches 1 to 7); of a range longer than a day, the same days one week
-- before, or as many weeks as it takes (stretch 1). Only hours in which a stretch lies are read.
(
    WITH
        toUnixTimestamp64Milli(toDateTime64($__fromTime_ms, 3, 'UTC')) * 1000 AS since_us,
        toUnixTimestamp64Milli(toDateTime64($__toTime_ms, 3, 'UTC')) * 1000 AS until_us,
        greatest(until_us - since_us, 1) AS length_us,
        length_us <= 86400000000 AS within_a_day,
        if(within_a_day, 86400000000, intDiv(length_us + 604799999999, 604800000000) * 604800000000) AS step_us,
        if(within_a_day, 7, 1) AS steps,
        arrayFlatten(arrayMap(
            step -> arrayMap(
                hour -> toDateTime(intDiv(since_us - step * step_us, 3600000000) * 3600 + hour * 3600, 'UTC'),
                range(toUInt32(intDiv(length_us + 3599999999, 3600000000) + 1))
            ),
            range(toUInt32(steps + 1))
        )) AS hours_needed,
        until_us - toUnixTimestamp64Micro(started_at) AS age_us,
        intDiv(age_us - 1, step_us) AS steps_back
    SELECT *, toUInt8(steps_back) AS stretch
    FROM llm_attempts
    WHERE started_at < fromUnixTimestamp64Micro(until_us) AND started_at >= fromUnixTimestamp64Micro(since_us - steps * step_us)
        AND toStartOfHour(started_at) IN (SELECT arrayJoin(hours_needed)) AND age_us - steps_back * step_us <= length_us
        AND @chosen(route) AND @chosen(provider) AND @chosen(model) AND @chosen(tenant)
)
