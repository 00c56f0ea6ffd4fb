-- What would the same tokens have cost at the prices of the other models in use? One row a model, provider and other model: USD of
-- the attempts that are priced in full, the same tokens at the other's prices (the row of the book that priced most of its
-- attempts in the range, whatever the variables say), and the change. Cached tokens count as plain input where the other has no
-- price for them; nothing is said of other tokenizers, longer answers or more failures. NULL: the other lacks a price.
WITH
    (tokens, price) -> multiplyDecimal(toDecimal128(tokens, 0), if(price < 0, toDecimal128(0, 12), price), 12) AS usd,
    other.prices AS prices,
    arrayMap(place -> if(place BETWEEN 2 AND 7 AND prices[place] < 0, prices[1], prices[place]), range(1, 15)) AS charged,
    arrayExists((count, price) -> count > 0 AND price < 0, used.units, charged) AS lacking,
    if(lacking, NULL, arrayReduce('sum', arrayMap((count, price) -> usd(count, price), used.units, charged))) AS would_cost
SELECT
    used.model AS `model`,
    used.provider AS `provider`,
    other.model AS `at the prices of`,
    other.provider AS `offered by`,
    toFloat64(used.known) AS `spend`,
    toFloat64(would_cost) AS `would cost`,
    toFloat64(would_cost) - toFloat64(used.known) AS `change`,
    toFloat64(would_cost) / nullIf(toFloat64(used.known), 0) - 1 AS `change, share`,
    used.doubtful AS `not fully priced`,
    other.price_id AS `price`,
    ifNull(toString(would_cost), '') AS `would cost, exact`
FROM
(
    SELECT
        toString(model) AS model,
        toString(provider) AS provider,
        sum(spend_priced) AS known,
        sumForEach(made.units) AS units,
        sum(made.doubtful) AS doubtful
    FROM @units($__fromTime_ms, $__toTime_ms, 0) AS made
    GROUP BY model, provider
    HAVING sum(priced) > 0
) AS used
CROSS JOIN
(
    SELECT model, provider, argMax((met.price_id, book.prices), (attempts, met.price_id)) AS most, most.1 AS price_id, most.2 AS prices
    FROM
    (
        SELECT toString(model) AS model, toString(provider) AS provider, toString(price_id) AS price_id, sum(priced) AS attempts
        FROM units_between(
            since = toDateTime64($__fromTime_ms, 6, 'UTC'), until = toDateTime64($__toTime_ms, 6, 'UTC'), by_tenant = 0, step_s = 3600
        )
        WHERE price_id != ''
        GROUP BY model, provider, price_id
        HAVING attempts > 0
    ) AS met
    INNER JOIN (SELECT price_id, any(prices) AS prices FROM price GROUP BY price_id) AS book ON book.price_id = met.price_id
    GROUP BY model, provider
) AS other
WHERE (used.model, used.provider) != (other.model, other.provider)
ORDER BY used.known DESC, used.model, used.provider, would_cost, other.model, other.provider
LIMIT 200
