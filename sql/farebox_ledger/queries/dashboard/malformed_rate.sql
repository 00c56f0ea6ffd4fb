-- Which share of the tool calls that were checked was malformed over time, and in the seven days before the range, the
-- baseline? Shares from 0 to 1 an interval; NULL: none was checked.
WITH
    has(checked, 'tool_call_malformed') AND ifNull(tool_calls_malformed <= tool_calls, 0) AS countable,
    (
        SELECT if(sum(tool_calls) > 0, sum(tool_calls_malformed) / sum(tool_calls), NULL)
        FROM llm_attempts
        WHERE started_at >= $__fromTime_ms - INTERVAL 7 DAY AND started_at < $__fromTime_ms
            AND kind != 'iteration' AND has(checked, 'tool_call_malformed') AND ifNull(tool_calls_malformed <= tool_calls, 0)
            AND @chosen(route) AND @chosen(provider) AND @chosen(model) AND @chosen(tenant)
    ) AS before
SELECT
    toStartOfInterval(started_at, toIntervalSecond($__interval_s)) AS time,
    if(sum(tool_calls) > 0, sum(tool_calls_malformed) / sum(tool_calls), NULL) AS `malformed`,
    any(before) AS `baseline`
FROM llm_attempts
WHERE started_at >= $__fromTime_ms AND started_at < $__toTime_ms AND kind != 'iteration' AND countable
    AND @chosen(route) AND @chosen(provider) AND @chosen(model) AND @chosen(tenant)
GROUP BY time
ORDER BY time
