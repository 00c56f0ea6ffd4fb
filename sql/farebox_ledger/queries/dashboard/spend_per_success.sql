-- What did tasks that began in the range cost for each one that succeeded, with all their retries, escalations and minutes of
-- human work? USD a success, NULL without a success or if no money is known; `not fully priced` counts what the money lacks.
SELECT
    toFloat64(if(successes > 0, divideDecimal(known, toDecimal64(greatest(successes, 1), 0), 18), NULL)) AS `per success`,
    successes AS `successes`,
    doubtful AS `not fully priced`
FROM
(
    SELECT sum(spend) AS known, sum(successes) AS successes, sum(doubts) AS doubtful
    FROM @tasks($__fromTime_ms, $__toTime_ms)
)
