-- What does caching cost and save, by lifetime? One row a model, provider and lifetime of what was written, and one of what was
-- read. Tokens; USD paid for them, and what they would have cost as plain input less that: written ones cost more (below 0),
-- read ones less. `reads to pay` is how often a written token must be read to earn its surcharge, `reads` how often all
-- written ones were. By the row of the book that priced each attempt; those that have none stand in `not comparable`.
SELECT
    model AS `model`,
    provider AS `provider`,
    line.1 AS `what`,
    sum(line.2) AS `tokens`,
    toFloat64(sum(line.3)) AS `paid`,
    toFloat64(sum(line.4)) AS `saved`,
    if(`what` = 'read', NULL, toFloat64(-sum(line.4)) / nullIf(toFloat64(sum(line.5)), 0)) AS `reads to pay`,
    if(`what` = 'read', sum(line.2) / nullIf(max(written), 0), NULL) AS `reads`,
    max(doubtful) AS `not comparable`,
    toString(sum(line.4)) AS `saved, exact`
FROM
(
    WITH
        (tokens, price) -> multiplyDecimal(toDecimal128(tokens, 0), price, 12) AS usd,
        book.prices AS prices
    SELECT
        cached.model AS model,
        cached.provider AS provider,
        sum(arraySum(arraySlice(tokens, 2))) OVER (PARTITION BY cached.model, cached.provider) AS written,
        sum(doubts + if(empty(prices), attempts, 0)) OVER (PARTITION BY cached.model, cached.provider) AS doubtful,
        arrayJoin(arrayMap(
            (name, count, place) -> (
                name,
                count,
                if(empty(prices), toDecimal128(0, 12), usd(count, prices[place])),
                if(empty(prices), toDecimal128(0, 12), usd(count, prices[1] - prices[place])),
                if(empty(prices) OR prices[2] < 0, toDecimal128(0, 12), usd(count, prices[1] - prices[2]))
            ),
            ['read', 'written for 5 minutes', 'written for 1 hour', 'written, time not named', 'written for 30 minutes', 'written for 12 hours'],
            tokens,
            [2, 3, 4, 5, 6, 7]
        )) AS line
    FROM
    (
        SELECT
            toString(model) AS model,
            toString(provider) AS provider,
            toString(price_id) AS price_id,
            arrayResize(arraySlice(sumForEach(made.units), 2, 6), 6) AS tokens,
            sum(made.cached) AS attempts,
            sum(cached_doubtful) AS doubts
        FROM @units($__fromTime_ms, $__toTime_ms, 0) AS made
        GROUP BY model, provider, price_id
        HAVING attempts + doubts > 0
    ) AS cached
    LEFT JOIN (SELECT price_id, any(prices) AS prices FROM price GROUP BY price_id) AS book ON book.price_id = cached.price_id
)
WHERE line.2 > 0
GROUP BY model, provider, `what`
ORDER BY model, provider, `what`
LIMIT 200
