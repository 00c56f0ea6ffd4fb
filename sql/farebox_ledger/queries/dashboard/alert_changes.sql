-- When did alerts fire, and when were they over, as farebox up saw it? A line for each: of the chosen routes, and of none.
SELECT
    at AS time,
    if(state = 'firing', summary, concat('Over: ', summary)) AS text,
    if(state = 'firing', 'Alert', 'Alert over') AS title,
    concat('alert,', severity) AS tags
FROM
(
    SELECT at, state, summary, toString(severity) AS severity, labels['route'] AS route
    FROM alert_states FINAL
    WHERE at >= $__fromTime_ms AND at < $__toTime_ms AND state IN ('firing', 'resolved')
) AS fired
WHERE fired.route = '' OR @chosen(fired.route)
ORDER BY time, text
LIMIT 500
