-- Which groups of these hours have nothing any more, because a correction moved it to another group? They count as nothing.
SELECT
    hour,
    route,
    provider,
    model,
    price_id,
    0 AS rows,
    0 AS priced,
    0 AS doubtful,
    0 AS cached,
    0 AS cached_doubtful,
    NULL AS spend_priced,
    [] AS units,
    initializeAggregation('quantilesDDState(0.01, 0.5, 0.95)', CAST(NULL, 'Nullable(Float32)')) AS lags,
    NULL AS longest_lag,
    {now:DateTime64(6, 'UTC')} - INTERVAL 1 MICROSECOND AS rolled_at
FROM units_hourly FINAL
WHERE hour IN {hours:Array(DateTime('UTC'))} AND units_hourly.rolled_at < {now:DateTime64(6, 'UTC')}
