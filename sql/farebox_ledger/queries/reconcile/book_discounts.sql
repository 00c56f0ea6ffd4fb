-- What share of the list price is paid at a provider? One row a model (empty: all) and stretch of time.
SELECT
    model,
    valid_from,
    valid_to,
    factor
FROM discounts
WHERE provider = {provider:String} AND factor IS NOT NULL
ORDER BY model, valid_from
