-- Which share of answers failed over time, in each way? Of those checked for it, malformed calls of the tool calls; shares from
-- 0 to 1 an interval, ways that did not occur in the range left out.
SELECT
    time,
    failure,
    sum(failed) / sum(looked_at) AS rate
FROM
(
    SELECT
        toStartOfInterval(started_at, toIntervalSecond($__interval_s)) AS time,
        toString(arrayJoin(arrayDistinct(checked))) AS failure,
        failure = 'tool_call_malformed' AS by_call,
        by_call AND NOT ifNull(tool_calls_malformed <= tool_calls, 0) AS odd,
        multiIf(odd, 0, by_call, ifNull(tool_calls, 0), 1) AS looked_at,
        multiIf(
            odd, 0,
            by_call, ifNull(tool_calls_malformed, 0),
            arrayExists(flag -> splitByChar('.', flag)[1] = failure, flags)
        ) AS failed
    FROM llm_attempts
    WHERE started_at >= $__fromTime_ms AND started_at < $__toTime_ms AND kind != 'iteration' AND notEmpty(checked)
        AND @chosen(route) AND @chosen(provider) AND @chosen(model) AND @chosen(tenant)
)
WHERE failure != 'long_context'
GROUP BY time, failure
HAVING sum(looked_at) > 0
QUALIFY sum(sum(failed)) OVER (PARTITION BY failure) > 0
ORDER BY time, failure
