-- How long did attempts take over time, and their first tokens? Milliseconds an interval: exact quantiles of attempts that say.
SELECT
    toStartOfInterval(started_at, toIntervalSecond($__interval_s)) AS time,
    quantileExactOrNull(0.5)(ttft_ms) AS `first token p50`,
    quantileExactOrNull(0.95)(ttft_ms) AS `first token p95`,
    quantileExactOrNull(0.5)(duration_ms) AS `p50`,
    quantileExactOrNull(0.95)(duration_ms) AS `p95`,
    quantileExactOrNull(0.99)(duration_ms) AS `p99`
FROM llm_attempts
WHERE started_at >= $__fromTime_ms AND started_at < $__toTime_ms AND kind != 'iteration'
    AND @chosen(route) AND @chosen(provider) AND @chosen(model) AND @chosen(tenant)
GROUP BY time
ORDER BY time
