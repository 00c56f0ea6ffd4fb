-- How many tokens of each class passed over time? Tokens an interval, where the provider reported them; classes exclude each
-- other: input at full price (audio and images among it), read from a cache, written to one, and output (reasoning among it).
SELECT
    toStartOfInterval(moment, toIntervalSecond(@interval())) AS time,
    sum(known_input_tokens) - sum(cached_tokens) - sum(cache_written_tokens) AS `input`,
    sum(cached_tokens) AS `cache read`,
    sum(cache_written_tokens) AS `cache write`,
    sum(output_tokens) AS `output`
FROM @amounts($__fromTime_ms, $__toTime_ms, @interval() % 3600 != 0)
GROUP BY time
ORDER BY time
