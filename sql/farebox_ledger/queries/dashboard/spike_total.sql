-- What was spent in the range, and what is usual: in the same hours of the seven days before, on average? USD of what is known,
-- NULL: nothing is. A range longer than a day is compared with the same days one week before, or more if it is longer.
SELECT
    toFloat64(now_known) AS `spend`,
    toFloat64(usual_known) AS `usual`,
    if(now_known IS NULL AND usual_known IS NULL, NULL, toFloat64(ifNull(now_known, 0)) - toFloat64(ifNull(usual_known, 0))) AS `change`,
    doubtful AS `not fully priced`
FROM
(
    SELECT
        sumIf(spend, stretch = 0) AS now_known,
        roundBankers(divideDecimal(sumIf(spend, stretch > 0), toDecimal64(greatest(max(stretch), 1), 0), 30), 12) AS usual_known,
        sumIf(doubts, stretch = 0) AS doubtful
    FROM @stretches()
)
