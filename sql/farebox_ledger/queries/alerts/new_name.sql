-- Which models and routes are called that were not in the thirty days before? Attempts of the last hour, by kind and name; a
-- ledger of less than a day knows nothing new. USD of what is known.
WITH {until:DateTime64(3, 'UTC')} AS until
SELECT kind, name, sum(attempts) AS value, sum(usd) AS spent
FROM
(
    SELECT
        arrayJoin([('model', concat(toString(provider), ' ', toString(model))), ('route', toString(route))]) AS new,
        new.1 AS kind,
        new.2 AS name,
        count() AS attempts,
        ifNull(toFloat64(sum(list_cost)), 0) AS usd
    FROM llm_attempts
    WHERE started_at >= until - INTERVAL 1 HOUR AND started_at < until
    GROUP BY new
)
WHERE (kind, name) NOT IN
(
    SELECT known.1, known.2
    FROM
    (
        SELECT DISTINCT
            arrayJoin([('model', concat(toString(provider), ' ', toString(model))), ('route', toString(route))]) AS known
        FROM attempts_by_hour
        WHERE hour >= until - INTERVAL 30 DAY AND hour < toStartOfHour(until - INTERVAL 1 HOUR)
    )
)
    AND (SELECT min(hour) FROM attempts_by_hour WHERE attempts > 0 AND hour > '2021-01-01') <= until - INTERVAL 1 DAY
GROUP BY kind, name
