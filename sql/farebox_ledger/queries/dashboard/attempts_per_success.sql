-- How many attempts did it take for a success, and how many for a call? Ratios; NULL without successes, or calls.
SELECT
    if(begun.successes > 0, made.attempts / begun.successes, NULL) AS `attempts per success`,
    if(begun.calls > 0, made.attempts / begun.calls, NULL) AS `attempts per call`
FROM (SELECT sum(attempts) AS attempts FROM @amounts($__fromTime_ms, $__toTime_ms, 0)) AS made
CROSS JOIN (SELECT sum(calls) AS calls, sum(successes) AS successes FROM @tasks($__fromTime_ms, $__toTime_ms)) AS begun
