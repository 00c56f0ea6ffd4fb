-- How long did it take from an attempt's end until the ledger had it? Seconds an interval: quantiles, one percent off at most, and
-- the longest. Batches and background answers, which are read later, are left out, and so are impossible clocks.
SELECT
    time,
    ifNotFinite(toFloat64(found[1]), NULL) AS `p50`,
    ifNotFinite(toFloat64(found[2]), NULL) AS `p95`,
    slowest AS `longest`
FROM
(
    SELECT
        toStartOfInterval(moment, toIntervalSecond(@interval())) AS time,
        quantilesDDMerge(0.01, 0.5, 0.95)(lags) AS found,
        max(longest_lag) AS slowest
    FROM @units($__fromTime_ms, $__toTime_ms, @interval() % 3600 != 0)
    GROUP BY time
    HAVING slowest IS NOT NULL
)
ORDER BY time
