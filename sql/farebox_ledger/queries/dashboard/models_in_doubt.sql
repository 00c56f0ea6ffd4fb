-- Which models have no price, or one that took a guess? One row a model, provider and reason: names as asked for and as answered,
-- attempts, tokens known of them, USD known of it, and when such an attempt came last. `assumed`: it is priced, and the reason
-- says what was taken for granted. `not fully priced` counts those without a price, without usage, or with a lower bound only.
SELECT
    toString(model) AS `model`,
    toString(provider) AS `provider`,
    if(price_state IN ('no_price', 'no_usage', 'partial'), toString(price_state), 'assumed') AS `state`,
    toString(price_reason) AS `reason`,
    arrayStringConcat(arraySort(groupUniqArray(3)(toString(if(response_model = '', request_model, response_model)))), ', ') AS `named`,
    count() AS `attempts`,
    sum(ifNull(llm_attempts.input_tokens, 0) + ifNull(output_tokens, 0)) AS `tokens`,
    toFloat64(sum(list_cost)) AS `spend`,
    countIf(price_state IN ('no_price', 'no_usage', 'partial')) AS `not fully priced`,
    max(started_at) AS `last`
FROM llm_attempts
WHERE started_at >= $__fromTime_ms AND started_at < $__toTime_ms
    AND (price_state IN ('no_price', 'no_usage', 'partial') OR price_reason != '')
    AND @chosen(route) AND @chosen(provider) AND @chosen(model) AND @chosen(tenant)
GROUP BY `model`, `provider`, `state`, `reason`
ORDER BY `state` = 'assumed', `attempts` DESC, `model`, `provider`, `reason`
LIMIT 100
