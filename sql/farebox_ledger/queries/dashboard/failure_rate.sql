-- Which share of the calls that began in the range failed, that is, had no good attempt? Shares from 0 to 1 with a 95 %
-- interval (Wilson 1927), NULL without calls; and the number of calls.
WITH
    1.959963984540054 AS z,
    failed + z * z / 2 AS centre,
    z * sqrt(failed * (calls - failed) / calls + z * z / 4) AS reach
SELECT
    if(calls = 0, NULL, failed / calls) AS `failure rate`,
    multiIf(calls = 0, NULL, failed = 0, 0, (centre - reach) / (calls + z * z)) AS `at least`,
    multiIf(calls = 0, NULL, failed = calls, 1, (centre + reach) / (calls + z * z)) AS `at most`,
    calls AS `calls`
FROM (SELECT sum(calls) AS calls, sum(failed) AS failed FROM @tasks($__fromTime_ms, $__toTime_ms))
