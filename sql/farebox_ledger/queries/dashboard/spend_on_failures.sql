-- What was spent on attempts that were no good (ended other than ok, or with a flag that disqualifies), passes billed beside
-- them included? USD of what is known, its share of all spend, and how many of them are not fully priced.
SELECT
    toFloat64(sum(spend_failed)) AS `on failures`,
    toFloat64(sum(spend_failed)) / nullIf(toFloat64(sum(spend)), 0) AS `share of spend`,
    sum(failed_doubtful) AS `not fully priced`
FROM @attempts($__fromTime_ms, $__toTime_ms, 0)
