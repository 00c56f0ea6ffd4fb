-- Does each route spend more than was to be expected? What it spent in each of the last two to ten steps of @step seconds
-- is held against the same time of the seven days before, each taken to today's level: times what was spent in the @level
-- seconds before the ten steps, over the same on that day (a quarter to four times). Their median is expected. A deviation
-- is (in square roots of dollars, so that rare dear calls weigh no more than many cheap ones) what bins of five steps differ
-- from their neighbours by, and 15 % of what is expected. `deviations` is the most that any span of two to ten steps shows.
-- It is 0 where the excess is under @floor dollars; where the usual peaks around this time are not passed by a fifth (jobs
-- that start at the same time every day, or every week); where the route is mostly idle at this time and spent no more than
-- in the busiest hour of the week; and with less than three days of history (days whole since the first hour). A quarter is taken off where less than a week is
-- known. USD of what is known, as floats: they decide, not bill. `spent` and `expected` are of
-- ten steps, and `not_priced` counts the attempts in these whose cost is not known.
(
    WITH
        {until:DateTime64(3, 'UTC')} AS until,
        @step * 1000 AS step_ms,
        0.67 * @floor AS grain,
        arrayDistinct(arrayFlatten(arrayMap(
            day -> arrayMap(
                hour -> toDateTime(toStartOfHour(until - day * 86400 + 15 * @step - hour * 3600), 'UTC'),
                range(toUInt32(ceil(greatest(40 * @step, 25 * @step + @level) / 3600) + 1))
            ),
            range(8)
        ))) AS hours_needed,
        arrayMap(each -> usd_at[each], range(10)) AS steps,
        arrayMap(n -> arraySum(arraySlice(steps, 1, n)), range(2, 11)) AS spans,
        arrayMap(day -> arrayMap(bin -> usd_at[day * 100 + 10 + bin], range(8)), range(1, days + 1)) AS bins_of_days,
        arrayMap(day -> usd_at[day * 100 + 15] + usd_at[day * 100 + 16] + usd_at[day * 100 + 17] + usd_at[day * 100 + 18], range(days + 1)) AS levels,
        arrayMap(level -> least(greatest((levels[1] + grain) / (level + grain), 0.25), 4), arraySlice(levels, 2)) AS taken_to_today,
        arrayMap((bins, times) -> times * arraySum(arraySlice(bins, 3, 4)) / 4, bins_of_days, taken_to_today) AS usual_bins,
        arrayMap((bins, times) -> times * arrayMax(bins), bins_of_days, taken_to_today) AS peaks,
        arrayMap(
            bins -> if(arraySum(bins) > 0, arraySum(each -> each * each, arrayPopFront(arrayDifference(bins))) / 14 / (arraySum(bins) / 8), 0),
            bins_of_days
        ) AS roughnesses,
        if(days = 0, 0, arrayReduce('median', usual_bins)) AS usual_bin,
        greatest(if(days = 0, 0, arrayReduce('median', peaks)), if(days < 7, 0, peaks[7])) AS usual_peak,
        greatest(if(days = 0, 0, arrayReduce('median', roughnesses)), 0.02 * @floor) AS roughness,
        arrayMap(
            (usd, n) -> if(
                usd - usual_bin * n / 5 >= @floor AND usd > 1.2 * usual_peak * greatest(n, 5) / 5,
                2 * (sqrt(usd) - sqrt(usual_bin * n / 5)) / sqrt(roughness + 0.0225 * usual_bin * n / 5),
                0
            ),
            spans,
            range(2, 11)
        ) AS excesses,
        arraySum(arrayMap(each -> calls_at[each], range(10))) AS calls_now,
        arraySum(day -> arraySum(bin -> calls_at[day * 100 + 10 + bin], range(8)), range(1, days + 1)) AS calls_before,
        arraySum(arrayFlatten(bins_of_days)) AS usd_before
    SELECT
        route,
        spans[9] AS spent,
        2 * usual_bin AS expected,
        not_priced,
        if(calls_now > 0 AND calls_before > 0 AND usd_before > 0, (spans[9] / calls_now) / (usd_before / calls_before), 1) AS usd_a_call_times,
        if(days >= 3 AND (usual_bin > 0 OR spans[9] > busiest_hour), arrayMax(excesses) * if(days < 7, 0.75, 1), 0) AS deviations
    FROM
    (
        SELECT
            route,
            sumMap(map(toUInt16(day * 100 + place), usd)) AS usd_at,
            sumMap(map(toUInt16(day * 100 + place), calls)) AS calls_at,
            sumIf(unknown, day = 0 AND place < 10) AS not_priced
        FROM
        (
            WITH
                dateDiff('millisecond', started_at, until) - 1 + 15 * step_ms AS back_ms,
                back_ms % 86400000 AS within_ms
            SELECT
                toString(llm_attempts.route) AS route,
                intDiv(back_ms, 86400000) AS day,
                multiIf(
                    day = 0 AND within_ms < 25 * step_ms, intDiv(within_ms, step_ms) - 15,
                    within_ms < 40 * step_ms, 10 + intDiv(within_ms, 5 * step_ms),
                    18
                ) AS place,
                ifNull(toFloat64(sum(list_cost)), 0) AS usd,
                count() AS calls,
                countIf(list_cost IS NULL) AS unknown
            FROM llm_attempts
            WHERE started_at < until
                AND toStartOfHour(started_at) IN (SELECT arrayJoin(hours_needed))
                AND day <= 7
                AND within_ms < greatest(40 * step_ms, 25 * step_ms + @level * 1000)
            GROUP BY route, day, place
        )
        GROUP BY route
    ) AS added
    LEFT JOIN
    (
        SELECT
            route,
            maxIf(usd, hour >= until - INTERVAL 7 DAY) AS busiest_hour,
            toUInt8(least(greatest(intDiv(dateDiff('second', min(hour), until) - 10 * @step - @level, 86400), 0), 7)) AS days
        FROM
        (
            SELECT toString(route) AS route, hour, ifNull(toFloat64(sum(spend)), 0) AS usd
            FROM attempts_by_hour
            WHERE hour >= until - INTERVAL 8 DAY AND hour < toStartOfHour(until - 10 * @step)
            GROUP BY route, hour
        )
        GROUP BY route
    ) AS busiest USING (route)
)
