-- How long did attempts take over time, and their first tokens? Milliseconds an interval: quantiles of attempts that say, one
-- percent off at most.
SELECT
    time,
    ifNotFinite(firsts[1], NULL) AS `first token p50`,
    ifNotFinite(firsts[2], NULL) AS `first token p95`,
    ifNotFinite(wholes[1], NULL) AS `p50`,
    ifNotFinite(wholes[2], NULL) AS `p95`,
    ifNotFinite(wholes[3], NULL) AS `p99`
FROM
(
    SELECT
        toStartOfInterval(moment, toIntervalSecond(@interval())) AS time,
        quantilesDDMerge(0.01, 0.5, 0.95, 0.99)(first_tokens) AS firsts,
        quantilesDDMerge(0.01, 0.5, 0.95, 0.99)(latencies) AS wholes
    FROM @attempts($__fromTime_ms, $__toTime_ms, @interval() % 3600 != 0)
    GROUP BY time
    HAVING sum(attempts) > 0
)
ORDER BY time
