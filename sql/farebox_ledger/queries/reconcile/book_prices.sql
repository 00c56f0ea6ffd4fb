-- What does the price book ask for some models of a provider? One row a variant and stretch of time, of the
-- region that needs no naming, below every context tier; prices for one unit, in the order of the columns of price_spans.
SELECT
    model,
    variant,
    valid_from,
    valid_to,
    currency,
    prices,
    other_units,
    other_prices
FROM price_spans
WHERE provider = {provider:String} AND model IN {models:Array(String)} AND region = '' AND tier_above = 0
ORDER BY model, variant, valid_from
