-- Does a success cost more than it did? Robust deviations of what each success of the last six hours cost, from the same in
-- the blocks of six hours of the seven days before, by route; 0 unless it is half as dear again, on twenty tasks and a dollar
-- or more. USD of what is known; without a success, as if there had been half of one.
WITH
    arrayReduce('median', blocks) AS usual,
    arrayReduce('median', arrayMap(each -> abs(each - usual), blocks)) AS spread
SELECT
    route,
    if(
        length(blocks) >= 6 AND tasks_now >= 20 AND spent >= 1 AND usd_a_success >= 1.5 * usual,
        (usd_a_success - usual) / greatest(1.4826 * spread, 0.1 * usual),
        0
    ) AS value,
    usd_a_success,
    usual AS usual_usd_a_success,
    spent,
    successes
FROM
(
    SELECT
        route,
        sumIf(usd, block = 0) AS spent,
        sumIf(done, block = 0) AS successes,
        sumIf(began, block = 0) AS tasks_now,
        spent / greatest(toFloat64(successes), 0.5) AS usd_a_success,
        groupArrayIf(usd / done, block > 0 AND done >= 3) AS blocks
    FROM
    (
        SELECT
            toString(route) AS route,
            intDiv(dateDiff('hour', hour, toStartOfHour({until:DateTime64(3, 'UTC')})), 6) AS block,
            ifNull(toFloat64(sum(spend)), 0) AS usd,
            sum(successes) AS done,
            sum(tasks) AS began
        FROM tasks_by_hour
        WHERE hour > toStartOfHour({until:DateTime64(3, 'UTC')}) - INTERVAL 174 HOUR AND hour < {until:DateTime64(3, 'UTC')}
        GROUP BY route, block
    )
    GROUP BY route
    HAVING notEmpty(blocks)
)
