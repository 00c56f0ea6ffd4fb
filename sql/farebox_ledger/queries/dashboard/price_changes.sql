-- When did a price change of a model that was called in the range? A line for each model and day.
SELECT
    valid_from AS time,
    concat('New price of ', model, ' at ', provider, if(variant = '', '', concat(' (', variant, ')'))) AS text,
    'Price change' AS title,
    'price' AS tags
FROM prices
WHERE valid_from >= $__fromTime_ms AND valid_from < $__toTime_ms
    AND (provider, model) IN
    (
        SELECT toString(provider), toString(model)
        FROM @amounts($__fromTime_ms, $__toTime_ms, 0)
    )
GROUP BY valid_from, provider, model, variant
ORDER BY time, text
