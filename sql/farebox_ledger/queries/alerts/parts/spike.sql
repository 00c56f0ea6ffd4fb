-- By how many robust deviations does what each route spent in the last @window seconds exceed what was to be expected? What
-- was spent around the same time of each of the seven days before, each taken to today's level: times what was spent in the
-- @level seconds before the window today, over the same on that day (a quarter to four times). Their median is expected;
-- a deviation is their MAD, 15 % of the median or a tenth of @floor dollars, whichever is most. 0 where the excess is under
-- @floor dollars or the route has less than three days of history. USD of what is known, as floats: they decide, not bill.
(
    WITH
        toDateTime64($__toTime_ms, 3, 'UTC') AS until,
        1800 AS around,
        arrayFlatten(arrayMap(
            day -> arrayMap(
                hour -> toDateTime(toStartOfHour(until + around - day * 86400 - hour * 3600), 'UTC'),
                range(toUInt32(ceil((around + @window + @level) / 3600) + 1))
            ),
            range(8)
        )) AS hours_needed
    SELECT
        route,
        current,
        arrayReduce('median', if(empty(like_today), [0.], like_today)) AS expected,
        arrayReduce('median', arrayMap(each -> abs(each - expected), if(empty(like_today), [0.], like_today))) AS spread,
        if(
            current - expected >= @floor AND length(like_today) >= 3,
            (current - expected) / greatest(1.4826 * spread, 0.15 * expected, 0.1 * @floor),
            0
        ) AS deviations
    FROM
    (
        SELECT
            route,
            current,
            arrayMap(
                found -> found.2 * @window / (@window + 2 * around)
                    * if(level > 0 AND found.3 > 0, least(greatest(level / found.3, 0.25), 4), 1),
                arrayMap(
                    each -> arrayFirst(found -> found.1 = each, days),
                    range(1, toUInt32(least(arrayMax(arrayPushBack(arrayMap(found -> found.1, days), 0)), 7) + 1))
                )
            ) AS like_today
        FROM
        (
            SELECT
                route,
                sumIf(at_time, day = 0) AS current,
                sumIf(before, day = 0) AS level,
                groupArrayIf((toInt64(day), near, before), day > 0) AS days
            FROM
            (
                WITH
                    dateDiff('millisecond', started_at, until) AS since_ms,
                    since_ms - intDiv(since_ms + around * 1000, 86400000) * 86400000 AS age_ms
                SELECT
                    toString(route) AS route,
                    intDiv(since_ms + around * 1000, 86400000) AS day,
                    ifNull(toFloat64(sumIf(list_cost, age_ms > 0 AND age_ms <= @window * 1000)), 0) AS at_time,
                    ifNull(toFloat64(sumIf(list_cost, age_ms > -around * 1000 AND age_ms <= (@window + around) * 1000)), 0) AS near,
                    ifNull(toFloat64(sumIf(list_cost, age_ms > @window * 1000 AND age_ms <= (@window + @level) * 1000)), 0) AS before
                FROM llm_attempts
                WHERE started_at < until AND toStartOfHour(started_at) IN (hours_needed)
                GROUP BY route, day
            )
            GROUP BY route
        )
    )
)
