-- What did a million tokens really cost, against the list price? One row a model and provider, dearest first. USD a million of
-- attempts that are priced in full: input with its caches, output, both together, and after your discounts; beside it the book's standard price of input
-- and output at the range's end (no cache, batch or long context), and what of it was paid: below 1 caches and cheaper tiers
-- saved, above it cache writes or dearer tiers cost. Discounts are those of the hour. NULL: there were no such tokens, or the book has no such price.
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
        sum(spend) AS known,
        ifNull(sumIf(spend_input + spend_cache_read + spend_cache_write, counts), 0) AS cost_in,
        ifNull(sumIf(spend_output, counts), 0) AS cost_out,
        sumIf(
            toFloat64(ifNull(spend_input + spend_cache_read + spend_cache_write + spend_output, 0)) * toFloat64(coalesce(
                dictGetOrNull('discount', 'factor', (provider, model), toDateTime(moment)),
                dictGetOrNull('discount', 'factor', (provider, ''), toDateTime(moment)),
                1
            )),
            counts
        ) AS net,
        sumIf(known_input_tokens, counts) AS tokens_in,
        sumIf(made.output_tokens, counts) AS tokens_out,
        sum(no_price + no_usage + partial) AS doubtful
    FROM @amounts($__fromTime_ms, $__toTime_ms, 0) AS made
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
