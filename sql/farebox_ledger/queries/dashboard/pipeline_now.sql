-- How much arrived in the range and what went wrong on the way? Attempts of it and for each minute; spans with the ids of another
-- and other content, and copies that came with a start in another hour, neither in any figure; spans whose clock was
-- impossible; numbers missing in the clients' own counts, which are attempts that got lost (NULL: clients do not number them).
WITH greatest(dateDiff('millisecond', $__fromTime_ms, $__toTime_ms), 1) / 60000 AS minutes
SELECT
    arrived.attempts AS `attempts`,
    arrived.attempts / minutes AS `a minute`,
    if(arrived.numbered = 0, NULL, ifNull(lost.numbers, 0)) AS `lost`,
    conflicts.spans AS `conflicting`,
    moved.spans AS `copies moved in time`,
    arrived.odd AS `impossible clock`
FROM
(
    SELECT countIf(kind != 'iteration') AS attempts, countIf(clock_impossible) AS odd, count(seq) AS numbered
    FROM llm_attempts
    WHERE started_at >= $__fromTime_ms AND started_at < $__toTime_ms
        AND @chosen(route) AND @chosen(provider) AND @chosen(model) AND @chosen(tenant)
) AS arrived
CROSS JOIN (SELECT sum(numbers) AS numbers FROM @lost()) AS lost
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
