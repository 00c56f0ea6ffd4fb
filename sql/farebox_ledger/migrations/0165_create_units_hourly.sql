-- What was used by hour and row of the price, unit by unit, and how late it was stored. Of all tenants together.
CREATE TABLE IF NOT EXISTS units_hourly
(
    hour DateTime('UTC') COMMENT 'Hour in which the attempts began' CODEC(Delta(4), ZSTD(1)),
    route LowCardinality(String) COMMENT 'Route of the attempts',
    provider LowCardinality(String) COMMENT 'Provider of the attempts',
    model LowCardinality(String) COMMENT 'Model of the attempts',
    price_id LowCardinality(String) COMMENT 'The row of price_spans they were priced with; empty where they are not priced',
    rows UInt64 COMMENT 'Attempts and passes, whatever their state' CODEC(T64, ZSTD(1)),
    priced UInt64 COMMENT 'Those that are priced in full' CODEC(T64, ZSTD(1)),
    doubtful UInt64 COMMENT 'Those without a price, without usage, or of whose cost a lower bound is known' CODEC(T64, ZSTD(1)),
    cached UInt64 COMMENT 'Priced ones that read from a cache or wrote to one' CODEC(T64, ZSTD(1)),
    cached_doubtful UInt64 COMMENT 'Others that did' CODEC(T64, ZSTD(1)),
    spend_priced Nullable(Decimal(38, 12)) COMMENT 'USD of the priced ones; NULL: there are none' CODEC(ZSTD(1)),
    units Array(UInt64) COMMENT 'Units of the priced ones: input uncached, read from the cache, written for 5 minutes, for 1 hour, for a time not named, for 30 minutes, for 12 hours, of audio, of images; output, of audio, of images; web searches and fetches; empty: there are none' CODEC(ZSTD(1)),
    lags AggregateFunction(quantilesDD(0.01, 0.5, 0.95), Nullable(Float32)) COMMENT 'Seconds from the end of attempts until they were stored, a sketch: read with quantilesDDMerge(0.01, 0.5, 0.95), one percent off at most; NULL, of impossible clocks and of what is read later, is left out' CODEC(ZSTD(1)),
    longest_lag Nullable(Float64) COMMENT 'The longest of those; NULL: there are none' CODEC(ZSTD(1)),
    rolled_at DateTime64(6, 'UTC') COMMENT 'When it was counted; the latest holds'
)
ENGINE = ReplacingMergeTree(rolled_at)
PARTITION BY toYYYYMM(hour)
ORDER BY (hour, route, provider, model, price_id)
COMMENT 'Units used by hour and price: a rollup, stale where dirty_hours says; read units_between instead'
