-- What was spent over time, and what was to be expected? USD by ten minutes, of a range longer than six hours by the hour;
-- and attempts not fully priced. Expected as the alerts on spikes do it: the median of the seven days before at that time
-- (ten minutes: and the ten before and after), each day taken to today's level: times what was spent in the three hours
-- before the range (by the hour: six), over the same on that day (a quarter to four times). The band is what those alerts
-- let pass: deviations in square roots of dollars, of what neighbouring steps differ by and 15 % of what is expected; 75
-- cents in ten minutes, a quarter in an hour at least. Days before the first attempt do not count; NULL: there are fewer
-- than three. Floats: looked at, not billed.
WITH
    toDateTime64($__fromTime_ms, 3, 'UTC') AS since,
    toDateTime64($__toTime_ms, 3, 'UTC') AS until,
    dateDiff('second', since, until) <= 21600 AS fine,
    if(fine, 600, 3600) AS step_s,
    if(fine, 0.75, 0.25) AS floor_usd,
    if(fine, 3, 1) AS beside_most,
    if(fine, toDateTime(until - intDiv(dateDiff('second', since, until), 600) * 600), toStartOfHour(since)) AS first_slot
SELECT
    time,
    spent AS `spend`,
    if(enough, expected, NULL) AS `expected`,
    if(enough, pow(greatest(sqrt(expected) - reach, 0), 2), NULL) AS `at least`,
    if(enough, greatest(pow(sqrt(expected) + reach, 2), expected + floor_usd), NULL) AS `at most`,
    doubtful AS `not fully priced`
FROM
(
    WITH
        range(1, toUInt32(history) + 1) AS days,
        arrayMap(
            day -> arrayMap(beside -> usd_at[toInt16(day * 10 + beside + 3)], range(-beside_most, beside_most + 1)), days
        ) AS bins_of_days,
        arrayMap(
            day -> least(greatest((levels[1] + 0.67 * floor_usd) / (levels[day + 1] + 0.67 * floor_usd), 0.25), 4), days
        ) AS taken_to_today,
        arrayMap(
            (bins, times) -> times * arrayAvg(if(fine, arraySlice(bins, 3, 3), arraySlice(bins, 2, 1))), bins_of_days, taken_to_today
        ) AS like_today,
        arrayMap(
            bins -> if(
                arraySum(bins) > 0,
                arraySum(each -> each * each, arrayPopFront(arrayDifference(bins))) / (4 * beside_most) / arrayAvg(bins),
                0
            ),
            bins_of_days
        ) AS roughnesses
    SELECT
        time,
        spent,
        doubtful,
        history >= 3 AS enough,
        if(empty(like_today), 0, arrayReduce('median', like_today)) AS expected,
        greatest(if(empty(roughnesses), 0, arrayReduce('median', roughnesses)), 0.02 * floor_usd) AS roughness,
        if(fine, 4.5, 5.5) / 2 / if(history < 7, 0.75, 1) * sqrt(roughness + 0.0225 * expected) AS reach
    FROM
    (
        -- Slots before the range tell the level of each day; they come as one, at time 0.
        SELECT
            if(place < first_slot, toDateTime(0, 'UTC'), place) AS time,
            if(countIf(day = 0) = 0, 0, toFloat64(sumIf(known, day = 0))) AS spent,
            sumIf(doubts, day = 0) AS doubtful,
            sumMap(map(toInt16(day * 10 + beside + 3), ifNull(toFloat64(known), 0))) AS usd_at,
            sumForEach(arrayMap(each -> if(each = day, ifNull(toFloat64(known), 0), 0), range(8))) AS usd_of_days,
            max(max(day)) OVER () AS history,
            anyIf(usd_of_days, time = 0) OVER () AS levels
        FROM
        (
            SELECT
                known,
                doubts,
                arrayJoin(range(8)) AS day,
                arrayJoin(if(day > 0, range(-beside_most, beside_most + 1), [0])) AS beside,
                toDateTime(slot + day * 86400 - beside * step_s, 'UTC') AS place
            FROM
            (
                WITH
                    arrayFlatten(arrayMap(
                        day -> arrayMap(
                            hour -> toDateTime(toStartOfHour(until + 1800 - day * 86400 - hour * 3600), 'UTC'),
                            range(if(fine, 12, 0))
                        ),
                        range(8)
                    )) AS hours_needed
                SELECT
                    toDateTime(until - (intDiv(dateDiff('millisecond', started_at, until), 600000) + 1) * 600, 'UTC') AS slot,
                    sum(list_cost) AS known,
                    countIf(price_state IN ('no_price', 'no_usage', 'partial')) AS doubts
                FROM llm_attempts
                WHERE fine AND started_at >= first_slot - INTERVAL 172 HOUR AND started_at < until
                    AND toStartOfHour(started_at) IN (SELECT arrayJoin(hours_needed))
                    AND @chosen(route) AND @chosen(provider) AND @chosen(model) AND @chosen(tenant)
                GROUP BY slot
                UNION ALL
                SELECT
                    toDateTime(toStartOfHour(moment), 'UTC') AS slot,
                    sum(spend) AS known,
                    sum(no_price + no_usage + partial) AS doubts
                FROM @amounts(if(fine, until, toStartOfHour(since) - INTERVAL 175 HOUR), $__toTime_ms, 0)
                WHERE NOT fine
                GROUP BY slot
            )
        )
        WHERE place < until AND (place >= first_slot OR (beside = 0 AND place >= first_slot - if(fine, 10800, 21600)))
        GROUP BY time
    )
)
WHERE time > 0
ORDER BY time
