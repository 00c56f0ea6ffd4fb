-- What did a task do, step by step, and what did each step cost? One row an attempt or pass, in the order in which they began: its
-- place in time as a bar of 32, milliseconds, tokens, how it ended, USD of what is known (NULL: nothing is), and what it all
-- comes to so far.
WITH
    dateDiff('microsecond', begin_at, started_at) / 1000 AS offset_ms,
    least(toUInt32(floor(32 * offset_ms / greatest(length_ms, 1))), 31) AS bar_from,
    least(greatest(toUInt32(round(32 * ifNull(duration_ms, 0) / greatest(length_ms, 1))), 1), 32 - bar_from) AS bar_length
SELECT
    started_at AS `began`,
    call_number AS `call`,
    if(kind = 'attempt', toString(attempt + 1), replaceAll(toString(kind), '_', ' ')) AS `attempt`,
    concat(repeat('░', bar_from), repeat('█', bar_length), repeat('░', 32 - bar_from - bar_length)) AS `when`,
    offset_ms AS `after`,
    duration_ms AS `took`,
    ttft_ms AS `first token`,
    toString(route) AS `route`,
    toString(model) AS `model`,
    toString(provider) AS `provider`,
    multiIf(
        kind = 'iteration', '',
        good, 'good',
        arrayStringConcat(arrayConcat(if(outcome = 'ok', [], [toString(outcome)]), arrayMap(each -> toString(each), flags)), ', ')
    ) AS `ended`,
    all_input AS `input tokens`,
    cache_read_tokens AS `read from cache`,
    output_tokens AS `output tokens`,
    toFloat64(list_cost) AS `spend`,
    toFloat64(so_far) AS `so far`,
    if(price_state IN ('no_price', 'no_usage', 'partial'), toString(price_reason), '') AS `not fully priced`,
    ifNull(toString(list_cost), '') AS `spend, exact`,
    request_id AS `request id`,
    lower(hex(trace_id)) AS `trace`
FROM
(
    SELECT
        *,
        input_tokens AS all_input,
        min(started_at) OVER () AS begin_at,
        max(toUnixTimestamp64Micro(started_at) / 1000 + ifNull(duration_ms, 0)) OVER () - toUnixTimestamp64Micro(begin_at) / 1000 AS length_ms,
        dense_rank() OVER (ORDER BY call_began, call_id) AS call_number,
        sum(list_cost) OVER (ORDER BY started_at, attempt, span_id ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS so_far
    FROM
    (
        SELECT *, min(started_at) OVER (PARTITION BY trace_id, call_id) AS call_began
        FROM @traced()
    )
)
ORDER BY started_at, attempt, span_id
LIMIT 500
