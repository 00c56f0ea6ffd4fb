-- What was spent over time, and what was to be expected? USD by ten minutes, of a range longer than six hours by the hour; and
-- attempts not fully priced. Expected as the alerts on spikes do it: the median of the seven days before at that time (ten
-- minutes: with half an hour around it), each day taken to today's level: times what was spent in the six hours before the
-- range, over the same on that day (a quarter to four times). The band reaches six deviations to both sides, and a dollar in
-- ten minutes or a quarter in an hour at least; a deviation is 1.4826 times the MAD, or 15 % of the median, whichever is more.
-- Days before the first attempt do not count; NULL: there are fewer than three. Floats: they are looked at, not billed.
WITH
    toDateTime64($__fromTime_ms, 3, 'UTC') AS since,
    toDateTime64($__toTime_ms, 3, 'UTC') AS until,
    dateDiff('second', since, until) <= 21600 AS fine,
    if(fine, 600, 3600) AS step_s,
    if(fine, 1, 0.25) AS floor_usd,
    if(fine, toDateTime(until - intDiv(dateDiff('second', since, until), 600) * 600), toStartOfHour(since)) AS first_slot
SELECT
    time,
    spent AS `spend`,
    if(enough, expected, NULL) AS `expected`,
    if(enough, greatest(expected - reach, 0), NULL) AS `at least`,
    if(enough, expected + reach, NULL) AS `at most`,
    doubtful AS `not fully priced`
FROM
(
    WITH
        arrayMap(
            day -> near[day + 1] * if(levels[1] > 0 AND levels[day + 1] > 0, least(greatest(levels[1] / levels[day + 1], 0.25), 4), 1),
            range(1, toUInt32(history) + 1)
        ) AS like_today
    SELECT
        time,
        spent,
        doubtful,
        history >= 3 AS enough,
        arrayReduce('median', if(empty(like_today), [0.], like_today)) AS expected,
        arrayReduce('median', arrayMap(each -> abs(each - expected), if(empty(like_today), [0.], like_today))) AS spread,
        greatest(6 * greatest(1.4826 * spread, 0.15 * expected), floor_usd) AS reach
    FROM
    (
        -- Slots before the range tell the level of each day; they come as one, at time 0.
        SELECT
            if(place < first_slot, toDateTime(0, 'UTC'), place) AS time,
            if(countIf(day = 0) = 0, 0, toFloat64(sumIf(known, day = 0))) AS spent,
            sumIf(doubts, day = 0) AS doubtful,
            sumForEach(arrayMap(each -> if(each = day, weight * ifNull(toFloat64(known), 0), 0), range(8))) AS near,
            max(max(day)) OVER () AS history,
            anyIf(near, time = 0) OVER () AS levels
        FROM
        (
            SELECT
                known,
                doubts,
                arrayJoin(range(8)) AS day,
                arrayJoin(if(fine AND day > 0, range(-3, 4), [0])) AS beside,
                toDateTime(slot + day * 86400 + beside * step_s, 'UTC') AS place,
                if(fine AND day > 0 AND place >= first_slot, 1 / 7, 1) AS weight
            FROM
            (
                WITH
                    arrayFlatten(arrayMap(
                        day -> arrayMap(
                            hour -> toDateTime(toStartOfHour(until + 1800 - day * 86400 - hour * 3600), 'UTC'),
                            range(if(fine, 15, 0))
                        ),
                        range(8)
                    )) AS hours_needed
                SELECT
                    toDateTime(until - (intDiv(dateDiff('millisecond', started_at, until), 600000) + 1) * 600, 'UTC') AS slot,
                    sum(list_cost) AS known,
                    countIf(price_state IN ('no_price', 'no_usage', 'partial')) AS doubts
                FROM llm_attempts
                WHERE fine AND started_at < until AND toStartOfHour(started_at) IN (hours_needed)
                    AND @chosen(route) AND @chosen(provider) AND @chosen(model) AND @chosen(tenant)
                GROUP BY slot
                UNION ALL
                SELECT
                    toDateTime(toStartOfHour(moment), 'UTC') AS slot,
                    sum(spend) AS known,
                    sum(no_price + no_usage + partial) AS doubts
                FROM @attempts(if(fine, until, toStartOfHour(since) - INTERVAL 174 HOUR), $__toTime_ms, 0)
                WHERE NOT fine
                GROUP BY slot
            )
        )
        WHERE place < until AND (place >= first_slot OR (beside = 0 AND place >= first_slot - 21600))
        GROUP BY time
    )
)
WHERE time > 0
ORDER BY time
