-- Why could attempts that began in the period not be priced, or not in full? One row a state and reason; attempts and the
-- tokens known of them.
SELECT
    price_state,
    price_reason,
    count() AS attempts,
    sum(
        ifNull(input_tokens, 0) + ifNull(output_tokens, 0) + ifNull(audio_output_tokens, 0) + ifNull(image_output_tokens, 0)
    ) AS known_tokens
FROM llm_attempts
WHERE started_at >= {since:DateTime64(6, 'UTC')}
    AND started_at < {until:DateTime64(6, 'UTC')}
    AND ({route:String} = '' OR route = {route:String})
    AND ({model:String} = '' OR model = {model:String})
    AND price_state IN ('no_price', 'no_usage', 'partial')
GROUP BY price_state, price_reason
ORDER BY attempts DESC, price_state, price_reason
