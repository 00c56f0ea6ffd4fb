-- How often was a call of each tool malformed? Answers that called the tool and were checked, those in which a call of it was
-- malformed, and their share from 0 to 1 with Wilson's 95 % interval; an answer stands in the row of each tool that it called.
-- USD of the answers with a malformed call, what is known of it.
WITH
    1.959963984540054 AS z,
    bad + z * z / 2 AS centre,
    z * sqrt(bad * (answers - bad) / answers + z * z / 4) AS reach
SELECT
    value AS `tool`,
    answers AS `answers`,
    bad AS `malformed`,
    bad / answers AS `rate`,
    if(bad = 0, 0, (centre - reach) / (answers + z * z)) AS `at least`,
    if(bad = answers, 1, (centre + reach) / (answers + z * z)) AS `at most`,
    top AS `most often`,
    toFloat64(known) AS `spend`,
    doubtful AS `not fully priced`,
    ifNull(toString(known), '') AS `spend, exact`
FROM @judged('tool')
ORDER BY `malformed` DESC, `answers` DESC, `tool`
LIMIT 100
