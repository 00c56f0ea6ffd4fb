-- Which prices does the book have for the models that were called in the range, and what were they before? One row a price, the
-- latest first: USD (or the currency named) for a million units, the change against what held before it; and whose word it is.
SELECT
    if(valid_from = 0, NULL, valid_from) AS `from`,
    concat(model, ' at ', provider) AS `model`,
    concat(unit, if(variant = '', '', concat(', ', variant)), if(region = '', '', concat(', ', region)), if(tier_above = 0, '', concat(', above ', toString(tier_above)))) AS `of what`,
    toFloat64(multiplyDecimal(price, toDecimal64(1000000, 0), 12)) AS `a million`,
    toFloat64(multiplyDecimal(former, toDecimal64(1000000, 0), 12)) AS `before`,
    if(former > 0, toFloat64(price) / toFloat64(former) - 1, NULL) AS `change`,
    currency AS `currency`,
    if(approximate, 'not from the provider''s own page', '') AS `doubt`,
    source AS `source`,
    checked_on AS `read on`,
    ifNull(toString(price), 'withdrawn') AS `for one, exact`
FROM
(
    SELECT
        *,
        said.1 AS price,
        said.2 AS currency,
        said.3 AS approximate,
        said.4 AS source,
        said.5 AS checked_on,
        lagInFrame(said.1) OVER
        (
            PARTITION BY provider, model, unit, variant, region, tier_above
            ORDER BY valid_from
            ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
        ) AS former
    FROM
    (
        SELECT
            provider,
            toString(model) AS model,
            toString(unit) AS unit,
            toString(variant) AS variant,
            toString(region) AS region,
            tier_above,
            valid_from,
            argMax((price, toString(currency), approximate, source, checked_on), (book = 'user', checked_on, added_at)) AS said
        FROM prices
        WHERE (provider, model) IN
        (
            SELECT toString(provider), toString(model)
            FROM @amounts($__fromTime_ms, $__toTime_ms, 0)
        )
        GROUP BY provider, model, unit, variant, region, tier_above, valid_from
    )
)
ORDER BY valid_from DESC, (region, variant, tier_above) != ('', '', 0), model, provider, `of what`
LIMIT 200
