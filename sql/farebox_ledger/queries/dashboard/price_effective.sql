-- What did a million tokens really cost, against the list price? One row a model and provider, dearest first. USD a million of
-- attempts that are priced in full: input with its caches, output, both together, and after your discounts; beside it the book's standard price of input
-- and output at the range's end (no cache, batch or long context), and what of it was paid: below 1 caches and cheaper tiers
-- saved, above it cache writes or dearer tiers cost. NULL: there were no such tokens, or the book has no such price.
SELECT
    used.model AS `model`,
    used.provider AS `provider`,
    toFloat64(used.known) AS `spend`,
    used.tokens_in AS `input tokens`,
    used.tokens_out AS `output tokens`,
    if(used.tokens_in > 0, toFloat64(used.cost_in) * 1000000 / used.tokens_in, NULL) AS `input, effective`,
    toFloat64(multiplyDecimal(book.input_price, toDecimal64(1000000, 0), 12)) AS `input, list`,
    if(used.tokens_out > 0, toFloat64(used.cost_out) * 1000000 / used.tokens_out, NULL) AS `output, effective`,
    toFloat64(multiplyDecimal(book.output_price, toDecimal64(1000000, 0), 12)) AS `output, list`,
    if(used.tokens_in + used.tokens_out > 0, toFloat64(used.cost_in + used.cost_out) * 1000000 / (used.tokens_in + used.tokens_out), NULL) AS `both, effective`,
    if(used.tokens_in + used.tokens_out > 0, used.net * 1000000 / (used.tokens_in + used.tokens_out), NULL) AS `both, discounted`,
    if(
        used.tokens_in + used.tokens_out > 0,
        toFloat64(used.cost_in + used.cost_out)
            / nullIf(toFloat64(book.input_price) * used.tokens_in + toFloat64(book.output_price) * used.tokens_out, 0),
        NULL
    ) AS `of list`,
    used.doubtful AS `not fully priced`
FROM
(
    WITH price_state = 'priced' AS counts
    SELECT
        toString(model) AS model,
        toString(provider) AS provider,
        sum(list_cost) AS known,
        ifNull(sumIf(cost_input + cost_cache_read + cost_cache_write, counts), 0) AS cost_in,
        ifNull(sumIf(cost_output, counts), 0) AS cost_out,
        sumIf(
            toFloat64(ifNull(cost_input + cost_cache_read + cost_cache_write + cost_output, 0)) * toFloat64(coalesce(
                dictGetOrNull('discount', 'factor', (provider, model), toDateTime(started_at)),
                dictGetOrNull('discount', 'factor', (provider, ''), toDateTime(started_at)),
                1
            )),
            counts
        ) AS net,
        ifNull(sumIf(llm_attempts.input_tokens, counts), 0) AS tokens_in,
        sumIf(toUInt64(ifNull(output_tokens, 0)) + ifNull(audio_output_tokens, 0) + ifNull(image_output_tokens, 0), counts) AS tokens_out,
        countIf(price_state IN ('no_price', 'no_usage', 'partial')) AS doubtful
    FROM llm_attempts
    WHERE started_at >= $__fromTime_ms AND started_at < $__toTime_ms
        AND @chosen(route) AND @chosen(provider) AND @chosen(model) AND @chosen(tenant)
    GROUP BY model, provider
) AS used
LEFT JOIN
(
    SELECT
        provider,
        model,
        nullIf(argMax(prices[1], valid_from), toDecimal128(-1, 12)) AS input_price,
        nullIf(argMax(prices[10], valid_from), toDecimal128(-1, 12)) AS output_price
    FROM price
    WHERE region = '' AND variant = '' AND tier_above = 0 AND instead = '' AND valid_from <= $__toTime_ms AND valid_to >= toDateTime($__toTime_ms)
    GROUP BY provider, model
) AS book ON book.provider = used.provider AND book.model = used.model
ORDER BY used.known DESC, used.model, used.provider
LIMIT 200
SETTINGS join_use_nulls = 1
