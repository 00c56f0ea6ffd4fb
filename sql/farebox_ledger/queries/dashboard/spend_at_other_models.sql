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
        sumIf(list_cost, price_state = 'priced') AS known,
        sumForEachIf(
            arrayMap(
                each -> toUInt64(ifNull(each, 0)),
                [uncached_input_tokens, cache_read_tokens, cache_write_5m_tokens, cache_write_1h_tokens, cache_write_unsplit_tokens,
                    cache_write_30m_tokens, cache_write_12h_tokens, audio_input_tokens, image_input_tokens, output_tokens,
                    audio_output_tokens, image_output_tokens, web_search_requests, web_fetch_requests]
            ),
            price_state = 'priced'
        ) AS units,
        countIf(price_state IN ('no_price', 'no_usage', 'partial')) AS doubtful
    FROM llm_attempts
    WHERE started_at >= $__fromTime_ms AND started_at < $__toTime_ms
        AND @chosen(route) AND @chosen(provider) AND @chosen(model) AND @chosen(tenant)
    GROUP BY model, provider
    HAVING countIf(price_state = 'priced') > 0
) AS used
CROSS JOIN
(
    SELECT model, provider, argMax((met.price_id, book.prices), (attempts, met.price_id)) AS most, most.1 AS price_id, most.2 AS prices
    FROM
    (
        SELECT toString(model) AS model, toString(provider) AS provider, toString(price_id) AS price_id, count() AS attempts
        FROM llm_attempts
        WHERE started_at >= $__fromTime_ms AND started_at < $__toTime_ms AND price_state = 'priced' AND price_id != ''
        GROUP BY model, provider, price_id
    ) AS met
    INNER JOIN (SELECT price_id, any(prices) AS prices FROM price GROUP BY price_id) AS book ON book.price_id = met.price_id
    GROUP BY model, provider
) AS other
WHERE (used.model, used.provider) != (other.model, other.provider)
ORDER BY used.known DESC, used.model, used.provider, would_cost, other.model, other.provider
LIMIT 200
