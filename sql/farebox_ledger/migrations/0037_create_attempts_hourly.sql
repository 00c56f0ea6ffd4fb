-- Attempts counted by hour. An hour that is counted again replaces its rows.
CREATE TABLE IF NOT EXISTS attempts_hourly
(
    hour DateTime('UTC') COMMENT 'Hour in which the attempts began',
    service LowCardinality(String) COMMENT 'service.name of the client',
    environment LowCardinality(String) COMMENT 'deployment.environment.name of the client',
    route LowCardinality(String) COMMENT 'Route of the attempts',
    provider LowCardinality(String) COMMENT 'Provider of the attempts',
    model LowCardinality(String) COMMENT 'Model of the attempts',
    attempts UInt64 COMMENT 'Attempts; passes with a price of their own (iterations) are not counted, their money is' CODEC(T64, ZSTD(1)),
    ended_ok UInt64 COMMENT 'Attempts that ended ok' CODEC(T64, ZSTD(1)),
    good_attempts UInt64 COMMENT 'Attempts that ended ok, with no flag that disqualifies' CODEC(T64, ZSTD(1)),
    spend Nullable(Decimal(38, 12)) COMMENT 'USD of what is priced, at least that much if no_price, no_usage or partial is above 0; NULL: of nothing' CODEC(ZSTD(1)),
    spend_input Nullable(Decimal(38, 12)) COMMENT 'USD for uncached, audio and image input; NULL as spend' CODEC(ZSTD(1)),
    spend_cache_read Nullable(Decimal(38, 12)) COMMENT 'USD for cache reads; NULL as spend' CODEC(ZSTD(1)),
    spend_cache_write Nullable(Decimal(38, 12)) COMMENT 'USD for cache writes; NULL as spend' CODEC(ZSTD(1)),
    spend_output Nullable(Decimal(38, 12)) COMMENT 'USD for output; NULL as spend' CODEC(ZSTD(1)),
    spend_tools Nullable(Decimal(38, 12)) COMMENT 'USD for web searches and fetches; NULL as spend' CODEC(ZSTD(1)),
    no_price UInt64 COMMENT 'Rows without a price' CODEC(T64, ZSTD(1)),
    no_usage UInt64 COMMENT 'Rows without usage' CODEC(T64, ZSTD(1)),
    partial UInt64 COMMENT 'Rows of whose cost a lower bound is known' CODEC(T64, ZSTD(1)),
    unpriced_tokens UInt64 COMMENT 'Tokens known of rows that are not priced' CODEC(T64, ZSTD(1)),
    known_input_tokens UInt64 COMMENT 'Input tokens, caches included, where they are known' CODEC(T64, ZSTD(1)),
    cached_tokens UInt64 COMMENT 'Input tokens read from a cache, of those' CODEC(T64, ZSTD(1)),
    cache_written_tokens UInt64 COMMENT 'Input tokens written to a cache' CODEC(T64, ZSTD(1)),
    output_tokens UInt64 COMMENT 'Output tokens of all kinds, where they are known' CODEC(T64, ZSTD(1)),
    reasoning_tokens UInt64 COMMENT 'Reasoning tokens, inside output_tokens' CODEC(T64, ZSTD(1)),
    tool_calls UInt64 COMMENT 'Tool calls in the responses' CODEC(T64, ZSTD(1)),
    latencies AggregateFunction(quantilesDD(0.01, 0.5, 0.95, 0.99), Nullable(Float32)) COMMENT 'Durations in milliseconds, a sketch: read with quantilesDDMerge(0.01, 0.5, 0.95, 0.99), one percent off at most; attempts whose duration is NULL are left out' CODEC(ZSTD(1)),
    rolled_at DateTime64(6, 'UTC') COMMENT 'When it was counted; the latest holds'
)
ENGINE = ReplacingMergeTree(rolled_at)
PARTITION BY toYYYYMM(hour)
ORDER BY (hour, route, provider, model, service, environment)
COMMENT 'Attempts by hour: a rollup, stale where dirty_hours says; read attempts_by_hour instead'
