-- Which share of the input tokens came from a cache over time? Shares from 0 to 1 an interval, NULL if no input is known.
SELECT
    toStartOfInterval(moment, toIntervalSecond(@interval())) AS time,
    if(sum(known_input_tokens) > 0, sum(cached_tokens) / sum(known_input_tokens), NULL) AS `cache hit rate`
FROM @amounts($__fromTime_ms, $__toTime_ms, @interval() % 3600 != 0)
GROUP BY time
ORDER BY time
