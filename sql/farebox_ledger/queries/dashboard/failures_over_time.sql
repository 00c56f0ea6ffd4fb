-- Which share of answers failed over time, in each way? Of those checked for it, malformed calls of the tool calls; shares from
-- 0 to 1 an interval, ways that did not occur in the range left out.
SELECT
    time,
    failure,
    failed / looked_at AS rate
FROM
(
    SELECT
        time,
        toString(arrayJoin(counted.1)) AS failure,
        failure = 'tool_call_malformed' AS by_call,
        indexOf(counted.1, failure) AS place,
        if(by_call, calls_checked, counted.2[place]) AS looked_at,
        if(by_call, calls_malformed, counted.3[place]) AS failed,
        sum(failed) OVER (PARTITION BY failure) AS in_range
    FROM
    (
        SELECT
            toStartOfInterval(moment, toIntervalSecond(@interval())) AS time,
            sumMap(checks) AS counted,
            sum(tool_calls_checked) AS calls_checked,
            sum(tool_calls_malformed) AS calls_malformed
        FROM @attempts($__fromTime_ms, $__toTime_ms, @interval() % 3600 != 0)
        GROUP BY time
    )
)
WHERE in_range > 0 AND looked_at > 0 AND position(failure, '.') = 0 AND failure NOT IN ('long_context', 'hedging', 'overconfidence')
ORDER BY time, failure
