-- The ledger as it was: what had been stored by then, at the figures that held then. Within any query,
-- also one whose joins use nulls.
CREATE OR REPLACE VIEW llm_attempts_as_of
AS
SELECT
    attempts.* REPLACE
    (
        if(former.adjustments > 0, tupleElement(former.old, 1), list_cost) AS list_cost,
        if(former.adjustments > 0, tupleElement(former.old, 2), cost_input) AS cost_input,
        if(former.adjustments > 0, tupleElement(former.old, 3), cost_cache_read) AS cost_cache_read,
        if(former.adjustments > 0, tupleElement(former.old, 4), cost_cache_write) AS cost_cache_write,
        if(former.adjustments > 0, tupleElement(former.old, 5), cost_output) AS cost_output,
        if(former.adjustments > 0, tupleElement(former.old, 6), cost_tools) AS cost_tools,
        if(former.adjustments > 0, tupleElement(former.old, 7), model) AS model,
        if(former.adjustments > 0, tupleElement(former.old, 8), price_id) AS price_id,
        if(former.adjustments > 0, tupleElement(former.old, 9), price_book_version) AS price_book_version,
        if(former.adjustments > 0, tupleElement(former.old, 10), price_state) AS price_state,
        if(former.adjustments > 0, tupleElement(former.old, 11), price_reason) AS price_reason
    )
FROM llm_attempts AS attempts
LEFT ANY JOIN
(
    SELECT
        trace_id,
        span_id,
        count() AS adjustments,
        argMin((
            old_list_cost,
            old_cost_input,
            old_cost_cache_read,
            old_cost_cache_write,
            old_cost_output,
            old_cost_tools,
            old_model,
            old_price_id,
            old_price_book_version,
            old_price_state,
            old_price_reason
        ), adjusted_at) AS old
    FROM adjustments
    WHERE adjusted_at > {moment:DateTime64(6, 'UTC')}
    GROUP BY trace_id, span_id
) AS former USING (trace_id, span_id)
WHERE received_at <= {moment:DateTime64(6, 'UTC')}
SETTINGS join_use_nulls = 0
COMMENT 'llm_attempts as it was at a moment, adjustments since undone; parameter moment'
