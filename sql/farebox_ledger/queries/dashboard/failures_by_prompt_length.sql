-- How did answers fail by the length of the prompt, in input tokens? Of those that were checked: how many a flag disqualifies, with Wilson's 95 %
-- interval; of those checked for it, how many hedge and how many are overconfident; malformed calls of the tool calls checked.
-- Shares from 0 to 1, NULL: none was checked; USD of disqualified answers, what is known of it.
WITH
    1.959963984540054 AS z,
    bad + z * z / 2 AS centre,
    z * sqrt(bad * (answers - bad) / answers + z * z / 4) AS reach
SELECT
    value AS `input tokens`,
    answers AS `answers`,
    bad AS `bad`,
    bad / answers AS `rate`,
    if(bad = 0, 0, (centre - reach) / (answers + z * z)) AS `at least`,
    if(bad = answers, 1, (centre + reach) / (answers + z * z)) AS `at most`,
    if(hedging_checked > 0, hedging / hedging_checked, NULL) AS `hedging`,
    if(overconfidence_checked > 0, overconfidence / overconfidence_checked, NULL) AS `overconfidence`,
    if(calls_checked > 0, calls_malformed / calls_checked, NULL) AS `malformed calls`,
    top AS `top failure`,
    toFloat64(known) AS `spend`,
    doubtful AS `not fully priced`,
    ifNull(toString(known), '') AS `spend, exact`
FROM @judged('length')
ORDER BY indexOf(['up to 1,000', 'up to 4,000', 'up to 16,000', 'up to 64,000', 'up to 150,000', 'above 150,000', '(not known)'], value)
LIMIT 100
