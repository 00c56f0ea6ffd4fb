-- How often did attempts fail in the last hour, and how often before? A row a route and failure: counts of what was looked at
-- and of what failed, in the last hour, and around the same hour of the seven days before. A failure is how the attempt ended,
-- or what a detector found; of tool calls each counts on its own. `deviations` says by how much the share rose, in standard
-- deviations of counts (square roots, with what is not known of the share before); 0 unless it doubled, on @least failures or
-- more, and on a hundred looked at before. USD of what is known.
(
    WITH
        failed_before * looked_at_now / looked_at_before AS expected
    SELECT
        route,
        failure,
        looked_at_now,
        failed_now,
        failed_now / looked_at_now AS share_now,
        failed_before / looked_at_before AS share_before,
        if(
            failed_now >= @least AND looked_at_before >= 100 AND share_now >= 2 * share_before,
            2 * (sqrt(failed_now + 0.375) - sqrt(expected + 0.375)) / sqrt(1 + looked_at_now / looked_at_before),
            0
        ) AS deviations,
        usd_now
    FROM
    (
        SELECT
            route,
            failure,
            sumIf(looked_at, now) AS looked_at_now,
            sumIf(failed, now) AS failed_now,
            sumIf(looked_at, NOT now) AS looked_at_before,
            sumIf(failed, NOT now) AS failed_before,
            sumIf(usd, now) AS usd_now
        FROM
        (
            WITH
                {until:DateTime64(3, 'UTC')} AS until,
                started_at >= until - INTERVAL 1 HOUR AS now,
                arrayDistinct(arrayFlatten(arrayMap(
                    day -> arrayMap(
                        hour -> toDateTime(toStartOfHour(until) - day * 86400 - hour * 3600, 'UTC'),
                        if(day = 0, [0, 1], [-1, 0, 1])
                    ),
                    range(8)
                ))) AS hours_needed,
                arrayDistinct(arrayMap(each -> splitByChar('.', toString(each))[1], flags)) AS found,
                has(checked, 'tool_call_malformed') AND ifNull(tool_calls_malformed <= tool_calls, 0) AS countable,
                arrayConcat(
                    arrayMap(
                        ending -> (ending, toUInt64(1), toUInt64(outcome = ending)),
                        ['client_error', 'rate_limited', 'overloaded', 'server_error', 'timeout', 'connection_error', 'stream_error']
                    ),
                    arrayMap(
                        detector -> (toString(detector), toUInt64(1), toUInt64(has(found, toString(detector)))),
                        arrayFilter(detector -> detector != 'tool_call_malformed', arrayDistinct(checked))
                    ),
                    if(
                        countable,
                        [('tool_call_malformed', toUInt64(ifNull(tool_calls, 0)), toUInt64(ifNull(tool_calls_malformed, 0)))],
                        []
                    )
                ) AS judgements,
                arrayJoin(judgements) AS judgement
            SELECT
                toString(llm_attempts.route) AS route,
                now,
                judgement.1 AS failure,
                sum(judgement.2) AS looked_at,
                sum(judgement.3) AS failed,
                ifNull(toFloat64(sumIf(list_cost, judgement.3 > 0)), 0) AS usd
            FROM llm_attempts
            WHERE toStartOfHour(started_at) IN (SELECT arrayJoin(hours_needed))
                AND started_at < until
                AND (now OR started_at < until - INTERVAL 20 HOUR)
                AND kind != 'iteration'
            GROUP BY route, now, failure
        )
        GROUP BY route, failure
        HAVING failed_now > 0
    )
)
