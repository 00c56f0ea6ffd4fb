-- Where does each price of a model come from, and since when does it hold? One row a price ever entered, the withdrawn
-- ones among them (price NULL), in the order in which they were entered; price in `currency` for one unit.
SELECT
    variant,
    region,
    unit,
    tier_above,
    valid_from,
    price,
    currency,
    approximate,
    source,
    note,
    checked_on,
    book,
    added_at
FROM prices
WHERE provider = {provider:String} AND model = {model:String}
ORDER BY variant, region, unit, tier_above, valid_from, added_at
