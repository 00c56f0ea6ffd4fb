-- Whose answers came without usage, or cut? One row a service, provider and model: attempts, those without usage and those cut,
-- their share of all from 0 to 1, and how they mostly ended. They are not in the money, or with a lower bound only. With
-- tenants chosen, services are not told apart.
SELECT
    toString(service) AS `service`,
    toString(provider) AS `provider`,
    toString(model) AS `model`,
    sum(made.attempts) AS `attempts`,
    sum(no_usage) AS `without usage`,
    sum(partial) AS `cut`,
    (`without usage` + `cut`) / greatest(`attempts`, 1) AS `share`,
    arrayStringConcat(topKWeighted(2)(toString(outcome), no_usage + partial), ', ') AS `ended mostly`
FROM @attempts($__fromTime_ms, $__toTime_ms, 0) AS made
GROUP BY `service`, `provider`, `model`
HAVING `without usage` + `cut` > 0
ORDER BY `without usage` + `cut` DESC, `service`, `provider`, `model`
LIMIT 100
