-- Which attempts of the range failed last, how, and what did each cost? The twenty latest; USD, NULL: not known,
-- or from below, as `not fully priced` says. They are in the latest hours that have twenty failures together
-- (as a set: by an array ClickHouse leaves no partition out).
WITH
    (
        SELECT groupArray(hour)
        FROM
        (
            SELECT
                toStartOfHour(moment) AS hour,
                sum(attempts - good_attempts) AS failing,
                sum(failing) OVER (ORDER BY hour DESC) AS so_far
            FROM @amounts($__fromTime_ms, $__toTime_ms, 0)
            GROUP BY hour
            HAVING failing > 0
        )
        WHERE so_far - failing < 20
    ) AS latest
SELECT
    started_at AS `began`,
    lower(hex(trace_id)) AS `trace`,
    toString(route) AS `route`,
    toString(model) AS `model`,
    toString(provider) AS `provider`,
    arrayStringConcat(arrayConcat(if(outcome = 'ok', [], [toString(outcome)]), arrayMap(each -> toString(each), flags)), ', ') AS `failure`,
    http_status AS `status`,
    request_id AS `request id`,
    toFloat64(list_cost) AS `spend`,
    if(price_state IN ('no_price', 'no_usage', 'partial'), toString(price_reason), '') AS `not fully priced`,
    ifNull(toString(list_cost), '') AS `spend, exact`
FROM llm_attempts
WHERE toStartOfHour(started_at) IN (SELECT arrayJoin(latest))
    AND started_at >= $__fromTime_ms AND started_at < $__toTime_ms AND kind != 'iteration' AND NOT good
    AND @chosen(route) AND @chosen(provider) AND @chosen(model) AND @chosen(tenant)
ORDER BY `began` DESC, `trace`, span_id
LIMIT 20
