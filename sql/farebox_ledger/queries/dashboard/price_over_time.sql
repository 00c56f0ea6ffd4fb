-- What did a million tokens cost over time, input and output together? USD an interval and model, of attempts priced in full;
-- a new price, a lost cache or another tier shows as a step.
SELECT
    toStartOfInterval(moment, toIntervalSecond(@interval())) AS time,
    toString(model) AS model,
    toFloat64(sum(spend)) * 1000000 / sum(known_input_tokens + priced.output_tokens) AS price
FROM @amounts($__fromTime_ms, $__toTime_ms, @interval() % 3600 != 0) AS priced
WHERE price_state = 'priced'
GROUP BY time, model
HAVING sum(known_input_tokens + priced.output_tokens) > 0
ORDER BY time, model
