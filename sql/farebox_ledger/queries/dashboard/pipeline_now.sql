-- How much arrived in the range and what went wrong on the way? Attempts of it and for each minute; numbers missing in the clients'
-- own counts, which are attempts that got lost (NULL: clients do not number them); spans with the ids of another and other
-- content, and copies that came with a start in another hour, neither in any figure; and spans that arrived in the range with an
-- impossible clock, which are in the ledger's sums of 2020.
WITH greatest(dateDiff('millisecond', $__fromTime_ms, $__toTime_ms), 1) / 60000 AS minutes
SELECT
    made.attempts AS `attempts`,
    made.attempts / minutes AS `a minute`,
    if(numbered.attempts = 0, NULL, lost.numbers) AS `lost`,
    conflicts.spans AS `conflicting`,
    moved.spans AS `copies moved in time`,
    odd.spans AS `impossible clock`
FROM (SELECT sum(attempts) AS attempts FROM @amounts($__fromTime_ms, $__toTime_ms, 0)) AS made
CROSS JOIN (SELECT ifNull(sum(numbers), 0) AS numbers FROM @lost()) AS lost
CROSS JOIN
(
    SELECT count() AS attempts
    FROM (SELECT 1 FROM stored_attempts WHERE started_at >= $__fromTime_ms AND started_at < $__toTime_ms AND seq IS NOT NULL LIMIT 1)
) AS numbered
CROSS JOIN
(
    SELECT count() AS spans
    FROM span_conflicts FINAL
    WHERE received_at >= $__fromTime_ms AND received_at < $__toTime_ms
        AND @chosen(span_conflicts.route) AND @chosen(span_conflicts.provider) AND @chosen(span_conflicts.model)
) AS conflicts
CROSS JOIN
(
    SELECT uniqExact(trace_id, span_id) AS spans
    FROM moved_attempts
    WHERE hour >= $__fromTime_ms AND hour < $__toTime_ms
) AS moved
CROSS JOIN
(
    SELECT count() AS spans
    FROM llm_attempts
    WHERE toStartOfHour(started_at) = toDateTime('2020-01-01 00:00:00', 'UTC') AND clock_impossible
        AND received_at >= $__fromTime_ms AND received_at < $__toTime_ms
        AND @chosen(route) AND @chosen(provider) AND @chosen(model) AND @chosen(tenant)
) AS odd
