-- Which share of the tool calls that were checked was malformed over time, and in the seven days before the range, the
-- baseline? Shares from 0 to 1 an interval; NULL: none was checked.
WITH
    (
        SELECT if(sum(tool_calls_checked) > 0, sum(tool_calls_malformed) / sum(tool_calls_checked), NULL)
        FROM @amounts($__fromTime_ms - INTERVAL 7 DAY, $__fromTime_ms, 0)
    ) AS before
SELECT
    toStartOfInterval(moment, toIntervalSecond(@interval())) AS time,
    if(sum(tool_calls_checked) > 0, sum(tool_calls_malformed) / sum(tool_calls_checked), NULL) AS `malformed`,
    any(before) AS `baseline`
FROM @amounts($__fromTime_ms, $__toTime_ms, @interval() % 3600 != 0)
GROUP BY time
HAVING sum(tool_calls_checked) > 0
ORDER BY time
