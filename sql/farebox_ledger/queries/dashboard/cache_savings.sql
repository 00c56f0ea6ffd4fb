-- What did caching save, or cost where it is below 0, over time? USD an interval: cached tokens, read and written, at the full
-- input price of the row of the book that priced the attempt, less what they cost. Attempts whose price the book no longer
-- has stand in `not comparable`; those that are not fully priced count there too.
SELECT
    cached.time AS time,
    toFloat64(
        sumIf(multiplyDecimal(toDecimal128(cached.tokens, 0), book.input_price, 12) - cached.cost, book.input_price IS NOT NULL)
    ) AS `saved`,
    sum(cached.doubtful + if(book.input_price IS NULL, cached.attempts, 0)) AS `not comparable`
FROM
(
    WITH
        toUInt64(ifNull(cache_read_tokens, 0)) + ifNull(cache_write_5m_tokens, 0) + ifNull(cache_write_1h_tokens, 0)
            + ifNull(cache_write_unsplit_tokens, 0) + ifNull(cache_write_30m_tokens, 0) + ifNull(cache_write_12h_tokens, 0) AS of_cache,
        price_state = 'priced' AS comparable
    SELECT
        toStartOfInterval(started_at, toIntervalSecond($__interval_s)) AS time,
        toString(if(comparable, price_id, '')) AS price_id,
        sumIf(of_cache, comparable) AS tokens,
        sumIf(ifNull(cost_cache_read, 0) + ifNull(cost_cache_write, 0), comparable) AS cost,
        countIf(comparable) AS attempts,
        countIf(NOT comparable) AS doubtful
    FROM llm_attempts
    WHERE started_at >= $__fromTime_ms AND started_at < $__toTime_ms AND of_cache > 0
        AND @chosen(route) AND @chosen(provider) AND @chosen(model) AND @chosen(tenant)
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
