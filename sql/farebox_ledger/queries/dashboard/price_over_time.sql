-- What did a million tokens cost over time, input and output together? USD an interval and model, of attempts priced in full;
-- a new price, a lost cache or another tier shows as a step.
SELECT
    toStartOfInterval(started_at, toIntervalSecond($__interval_s)) AS time,
    toString(model) AS model,
    toFloat64(sum(list_cost)) * 1000000
        / sum(input_tokens + ifNull(output_tokens, 0) + ifNull(audio_output_tokens, 0) + ifNull(image_output_tokens, 0)) AS price
FROM llm_attempts
WHERE started_at >= $__fromTime_ms AND started_at < $__toTime_ms AND price_state = 'priced' AND input_tokens + output_tokens > 0
    AND @chosen(route) AND @chosen(provider) AND @chosen(model) AND @chosen(tenant)
GROUP BY time, model
ORDER BY time, model
