-- How long did it take from an attempt's end until the ledger had it? Seconds an interval: quantiles and the longest. Batches and
-- background answers, which are read later, are left out, and so are impossible clocks.
SELECT
    toStartOfInterval(started_at, toIntervalSecond(@interval())) AS time,
    quantileExact(0.5)(lag) AS `p50`,
    quantileExact(0.95)(lag) AS `p95`,
    max(lag) AS `longest`
FROM
(
    SELECT
        started_at,
        greatest(dateDiff('millisecond', started_at, received_at) - ifNull(duration_ms, 0), 0) / 1000 AS lag
    FROM llm_attempts
    WHERE started_at >= $__fromTime_ms AND started_at < $__toTime_ms AND kind = 'attempt' AND NOT clock_impossible
        AND @chosen(route) AND @chosen(provider) AND @chosen(model) AND @chosen(tenant)
)
GROUP BY time
ORDER BY time
