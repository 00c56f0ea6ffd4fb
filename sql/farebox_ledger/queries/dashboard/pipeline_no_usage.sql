-- Whose answers came without usage, or cut? One row a service, provider and way it ended: attempts, those without usage and those
-- cut, and their share of all from 0 to 1. They are not in the money, or with a lower bound only.
SELECT
    toString(service) AS `service`,
    toString(provider) AS `provider`,
    toString(server_address) AS `host`,
    toString(operation) AS `operation`,
    count() AS `attempts`,
    countIf(price_state = 'no_usage') AS `without usage`,
    countIf(price_state = 'partial') AS `cut`,
    (`without usage` + `cut`) / `attempts` AS `share`,
    arrayStringConcat(topKIf(2)(toString(outcome), price_state IN ('no_usage', 'partial')), ', ') AS `ended mostly`
FROM llm_attempts
WHERE started_at >= $__fromTime_ms AND started_at < $__toTime_ms
    AND @chosen(route) AND @chosen(provider) AND @chosen(model) AND @chosen(tenant)
GROUP BY `service`, `provider`, `host`, `operation`
HAVING `without usage` + `cut` > 0
ORDER BY `without usage` + `cut` DESC, `service`, `provider`, `host`
LIMIT 100
