-- What units add up to: what a refresh counts into units_hourly, and what a query counts of hours that are dirty or cut off.
CREATE VIEW IF NOT EXISTS unit_sums
AS
WITH
    price_state = 'priced' AS is_priced,
    arrayMap(
        each -> toUInt64(ifNull(each, 0)),
        [uncached_input_tokens, cache_read_tokens, cache_write_5m_tokens, cache_write_1h_tokens, cache_write_unsplit_tokens,
            cache_write_30m_tokens, cache_write_12h_tokens, audio_input_tokens, image_input_tokens, output_tokens,
            audio_output_tokens, image_output_tokens, web_search_requests, web_fetch_requests]
    ) AS counts,
    arraySum(arraySlice(counts, 2, 6)) > 0 AS is_cached,
    kind = 'attempt' AND NOT clock_impossible AS is_timed,
    greatest(dateDiff('millisecond', started_at, received_at) - ifNull(duration_ms, 0), 0) / 1000 AS lag
SELECT
    if({by_tenant:UInt8}, llm_attempts.tenant, '') AS tenant,
    toStartOfInterval(started_at, toIntervalSecond({step_s:UInt32})) AS moment,
    llm_attempts.route AS route,
    llm_attempts.provider AS provider,
    llm_attempts.model AS model,
    if(is_priced, llm_attempts.price_id, '') AS price_id,
    count() AS rows,
    countIf(is_priced) AS priced,
    countIf(price_state IN ('no_price', 'no_usage', 'partial')) AS doubtful,
    countIf(is_priced AND is_cached) AS cached,
    countIf(NOT is_priced AND is_cached) AS cached_doubtful,
    sumIf(list_cost, is_priced) AS spend_priced,
    sumForEachIf(counts, is_priced) AS units,
    quantilesDDState(0.01, 0.5, 0.95)(if(is_timed, toFloat32(lag), NULL)) AS lags,
    maxOrNullIf(toFloat64(lag), is_timed) AS longest_lag
FROM llm_attempts
WHERE toStartOfHour(started_at) IN ({hours:Array(DateTime('UTC'))})
    AND started_at >= {since:DateTime64(6, 'UTC')}
    AND started_at < {until:DateTime64(6, 'UTC')}
GROUP BY tenant, moment, route, provider, model, price_id
COMMENT 'Units used in some hours within a period, counted; columns as in units_hourly; parameters hours, since, until, by_tenant (1: each tenant by itself, else 0) and step_s'
