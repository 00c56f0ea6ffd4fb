-- Which models have no price, or one that took a guess? One row a model, provider and reason: attempts, tokens known of them, USD
-- known of it, and the hour of the last. `assumed`: it is priced, and the reason says what was taken for granted. `not fully
-- priced` counts those without a price, without usage, or with a lower bound only.
SELECT
    toString(model) AS `model`,
    toString(provider) AS `provider`,
    if(price_state IN ('no_price', 'no_usage', 'partial'), toString(price_state), 'assumed') AS `state`,
    toString(price_reason) AS `reason`,
    sum(made.attempts) AS `attempts`,
    sum(known_input_tokens + made.output_tokens) AS `tokens`,
    toFloat64(sum(made.spend)) AS `spend`,
    sum(no_price + no_usage + partial) AS `not fully priced`,
    toStartOfHour(max(moment)) AS `last`
FROM @amounts($__fromTime_ms, $__toTime_ms, 0) AS made
WHERE price_state IN ('no_price', 'no_usage', 'partial') OR price_reason != ''
GROUP BY `model`, `provider`, `state`, `reason`
ORDER BY `state` = 'assumed', `attempts` DESC, `model`, `provider`, `reason`
LIMIT 100
