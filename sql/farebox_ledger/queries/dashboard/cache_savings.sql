-- What did caching save, or cost where it is below 0, over time? USD an interval: cached tokens, read and written, at the full
-- input price of the row of the book that priced the attempt, less what they cost. Attempts whose price the book no longer
-- has stand in `not comparable`; those that are not fully priced count there too.
SELECT
    cached.time AS time,
    toFloat64(
        sumIf(multiplyDecimal(toDecimal128(cached.tokens, 0), book.input_price, 12) - cached.cost, book.input_price IS NOT NULL)
    ) AS `saved`,
    sum(cached.doubtful + if(book.input_price IS NULL, cached.comparable, 0)) AS `not comparable`
FROM
(
    SELECT
        toStartOfInterval(moment, toIntervalSecond(@interval())) AS time,
        toString(if(price_state = 'priced', price_id, '')) AS price_id,
        sumIf(cached_tokens + cache_written_tokens, price_state = 'priced') AS tokens,
        sumIf(ifNull(spend_cache_read, 0) + ifNull(spend_cache_write, 0), price_state = 'priced') AS cost,
        sumIf(rows_cached, price_state = 'priced') AS comparable,
        sumIf(rows_cached, price_state != 'priced') AS doubtful
    FROM @amounts($__fromTime_ms, $__toTime_ms, @interval() % 3600 != 0)
    WHERE rows_cached > 0
    GROUP BY time, price_id
) AS cached
LEFT JOIN
(
    SELECT price_id, nullIf(any(prices[1]), toDecimal128(-1, 12)) AS input_price
    FROM price
    GROUP BY price_id
) AS book ON book.price_id = cached.price_id
GROUP BY time
ORDER BY time
SETTINGS join_use_nulls = 1
