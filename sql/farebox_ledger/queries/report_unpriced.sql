-- Why could attempts that began in the period not be priced, or not in full? One row a state and reason; attempts and the
-- tokens known of them.
SELECT
    price_state,
    price_reason,
    sum(no_price + no_usage + partial) AS attempts,
    sum(known_input_tokens + output_tokens) AS known_tokens
FROM attempts_between(since = {since:DateTime64(6, 'UTC')}, until = {until:DateTime64(6, 'UTC')}, by_tenant = 0, step_s = 3600)
WHERE ({route:String} = '' OR route = {route:String})
    AND ({model:String} = '' OR model = {model:String})
    AND price_state IN ('no_price', 'no_usage', 'partial')
GROUP BY price_state, price_reason
ORDER BY attempts DESC, price_state, price_reason
