-- What did attempts cost that are billed in another currency than USD? One row a currency, provider and model; the amount
-- is in that currency, counts those attempts for whose every unit there is a price, and is never part of any USD.
WITH
    [
        uncached_input_tokens,
        cache_read_tokens,
        cache_write_5m_tokens,
        cache_write_1h_tokens,
        cache_write_unsplit_tokens,
        cache_write_30m_tokens,
        cache_write_12h_tokens,
        audio_input_tokens,
        image_input_tokens,
        output_tokens,
        audio_output_tokens,
        image_output_tokens,
        web_search_requests,
        web_fetch_requests
    ] AS usage,
    arrayMap(count -> ifNull(count, 0), usage) AS counts,
    notEmpty(other_units) OR arrayExists((count, price) -> count > 0 AND price < 0, counts, spans.prices) AS incomplete,
    arraySum((count, price) -> if(count = 0, toDecimal128(0, 12), count * price), counts, spans.prices) AS cost
SELECT
    spans.currency AS currency,
    llm_attempts.provider AS provider,
    llm_attempts.model AS model,
    count() AS attempts,
    if(countIf(NOT incomplete) = 0, NULL, sumIf(cost, NOT incomplete)) AS known_cost,
    countIf(incomplete) AS unpriced
FROM llm_attempts
INNER JOIN
(
    SELECT price_id, currency, prices
    FROM price_spans
    WHERE currency != 'USD' AND hour_price IS NULL
) AS spans USING (price_id)
WHERE started_at >= {since:DateTime64(6, 'UTC')} AND started_at < {until:DateTime64(6, 'UTC')}
GROUP BY currency, provider, model
ORDER BY currency, provider, model
