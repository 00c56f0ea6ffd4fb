-- Where are far fewer input tokens read from a cache than before? The share of the usual hit rate that is lost, from 0 to 1,
-- by route and model: of the last one to two hours, from the median of the hours of seven days before. 0 unless a fifth was
-- usual, the fall is beyond what hours differ by, and a hundred thousand tokens went in. Hit rates are from 0 to 1; `spent` is
-- USD for input that no cache had.
WITH
    arrayReduce('median', hits) AS usual,
    arrayReduce('median', arrayMap(each -> abs(each - usual), hits)) AS spread
SELECT
    route,
    model,
    if(length(hits) >= 12 AND usual >= 0.2 AND input >= 100000 AND usual - hit_rate > 5 * 1.4826 * spread, 1 - hit_rate / usual, 0) AS value,
    hit_rate,
    usual AS usual_hit_rate,
    spent
FROM
(
    SELECT
        route,
        model,
        sumIf(known_input_tokens, lately) AS input,
        sumIf(cached_tokens, lately) / greatest(input, 1) AS hit_rate,
        groupArrayIf(cached_tokens / known_input_tokens, NOT lately AND known_input_tokens >= 10000) AS hits,
        sumIf(usd, lately) AS spent
    FROM
    (
        SELECT
            toString(attempts_by_hour.route) AS route,
            toString(attempts_by_hour.model) AS model,
            hour,
            hour >= toStartOfHour({until:DateTime64(3, 'UTC')} - INTERVAL 1 HOUR) AS lately,
            sum(attempts_by_hour.known_input_tokens) AS known_input_tokens,
            sum(attempts_by_hour.cached_tokens) AS cached_tokens,
            ifNull(toFloat64(sum(spend_input)), 0) AS usd
        FROM attempts_by_hour
        WHERE hour >= toStartOfHour({until:DateTime64(3, 'UTC')}) - INTERVAL 7 DAY AND hour < {until:DateTime64(3, 'UTC')}
        GROUP BY route, model, hour
    )
    GROUP BY route, model
    HAVING notEmpty(hits)
)
