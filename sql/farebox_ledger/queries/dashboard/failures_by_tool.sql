-- How often was a call of each tool malformed? Answers that called the tool and were checked, those in which a call of it was
-- malformed, and their share from 0 to 1 with Wilson's 95 % interval; an answer stands in the row of each tool that it called.
-- USD of the answers with a malformed call, what is known of it.
WITH
    1.959963984540054 AS z,
    bad + z * z / 2 AS centre,
    z * sqrt(bad * (answers - bad) / answers + z * z / 4) AS reach
SELECT
    tool AS `tool`,
    answers AS `answers`,
    bad AS `malformed`,
    bad / answers AS `rate`,
    if(bad = 0, 0, (centre - reach) / (answers + z * z)) AS `at least`,
    if(bad = answers, 1, (centre + reach) / (answers + z * z)) AS `at most`,
    how AS `most often`,
    toFloat64(known) AS `spend`,
    doubtful AS `not fully priced`,
    ifNull(toString(known), '') AS `spend, exact`
FROM
(
    WITH substring(arrayFirst(flag -> startsWith(flag, 'tool_call_malformed.'), flags), 21) AS broken
    SELECT
        toString(arrayJoin(arrayDistinct(arrayConcat(tool_names, malformed_tools)))) AS tool,
        count() AS answers,
        countIf(has(malformed_tools, tool)) AS bad,
        ifNull(topKIf(1)(broken, has(malformed_tools, tool))[1], '') AS how,
        sumIf(list_cost, has(malformed_tools, tool)) AS known,
        countIf(has(malformed_tools, tool) AND price_state IN ('no_price', 'no_usage', 'partial')) AS doubtful
    FROM llm_attempts
    WHERE started_at >= $__fromTime_ms AND started_at < $__toTime_ms AND kind != 'iteration' AND has(checked, 'tool_call_malformed')
        AND @chosen(route) AND @chosen(provider) AND @chosen(model) AND @chosen(tenant)
    GROUP BY tool
)
ORDER BY `malformed` DESC, `answers` DESC, tool
LIMIT 100
