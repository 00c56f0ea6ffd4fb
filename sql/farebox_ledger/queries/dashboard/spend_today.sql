-- What was spent today (UTC) until the end of the range, and yesterday until the same time of day? USD, what is known of it;
-- NULL: nothing is. `not fully priced` counts today's attempts that have no price, no usage, or a lower bound only.
SELECT
    toFloat64(today.known) AS `today`,
    toFloat64(yesterday.known) AS `yesterday by this time`,
    today.doubtful AS `not fully priced`
FROM
(
    SELECT sum(spend) AS known, sum(no_price + no_usage + partial) AS doubtful
    FROM @amounts(toStartOfDay(toDateTime64($__toTime_ms, 3, 'UTC')), $__toTime_ms, 0)
) AS today
CROSS JOIN
(
    SELECT sum(spend) AS known
    FROM @amounts(toStartOfDay(toDateTime64($__toTime_ms, 3, 'UTC')) - INTERVAL 1 DAY, $__toTime_ms - INTERVAL 1 DAY, 0)
) AS yesterday
