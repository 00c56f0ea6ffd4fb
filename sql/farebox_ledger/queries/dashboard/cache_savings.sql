-- What did caching save, or cost where it is below 0, over time? USD an interval: cached tokens, read and written, at the full
-- input price of the row of the book that priced the attempt, less what they cost. Attempts whose price the book no longer
-- has stand in `not comparable`; those that are not fully priced count there too.
WITH
    toUInt64(ifNull(cache_read_tokens, 0)) + ifNull(cache_write_5m_tokens, 0) + ifNull(cache_write_1h_tokens, 0)
        + ifNull(cache_write_unsplit_tokens, 0) + ifNull(cache_write_30m_tokens, 0) + ifNull(cache_write_12h_tokens, 0) AS tokens,
    multiplyDecimal(toDecimal64(tokens, 0), book.input_price, 12) AS without_cache,
    price_state = 'priced' AND book.input_price IS NOT NULL AS comparable
SELECT
    toStartOfInterval(llm_attempts.started_at, toIntervalSecond($__interval_s)) AS time,
    toFloat64(sumIf(without_cache - (ifNull(cost_cache_read, 0) + ifNull(cost_cache_write, 0)), comparable)) AS `saved`,
    countIf(NOT comparable) AS `not comparable`
FROM llm_attempts
LEFT JOIN
(
    SELECT price_id, nullIf(any(prices[1]), toDecimal128(-1, 12)) AS input_price
    FROM price
    GROUP BY price_id
) AS book ON book.price_id = toString(llm_attempts.price_id)
WHERE llm_attempts.started_at >= $__fromTime_ms AND llm_attempts.started_at < $__toTime_ms AND tokens > 0
    AND @chosen(route) AND @chosen(provider) AND @chosen(model) AND @chosen(tenant)
GROUP BY time
ORDER BY time
SETTINGS join_use_nulls = 1
