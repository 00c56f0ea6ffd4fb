-- Attempts counted by hour, twice: all tenants together, and each by itself. What mostly goes together (outcome, state and
-- row of the price) tells groups apart, so that each of them can be asked for, and adds few. An hour that is counted again
-- replaces its rows.
CREATE TABLE IF NOT EXISTS attempts_hourly
(
    by_tenant UInt8 COMMENT '0 where all tenants are counted together, 1 where each is by itself' CODEC(ZSTD(1)),
    tenant LowCardinality(String) COMMENT 'Tag tenant where each is counted by itself; empty: none set, or all together',
    hour DateTime('UTC') COMMENT 'Hour in which the attempts began',
    service LowCardinality(String) COMMENT 'service.name of the client; empty in rows of one tenant',
    environment LowCardinality(String) COMMENT 'deployment.environment.name of the client; empty in rows of one tenant',
    route LowCardinality(String) COMMENT 'Route of the attempts',
    provider LowCardinality(String) COMMENT 'Provider of the attempts',
    model LowCardinality(String) COMMENT 'Model of the attempts',
    outcome LowCardinality(String) COMMENT 'How they ended, as in llm_attempts',
    price_state LowCardinality(String) COMMENT 'What their cost is, as in llm_attempts',
    price_reason LowCardinality(String) COMMENT 'Why they are not priced, or what was assumed',
    price_id LowCardinality(String) COMMENT 'The row of price_spans they were priced with; empty: none was found or needed',
    attempts UInt64 COMMENT 'Attempts; passes with a price of their own (iterations) are not counted, their money is' CODEC(T64, ZSTD(1)),
    ended_ok UInt64 COMMENT 'Attempts that ended ok' CODEC(T64, ZSTD(1)),
    good_attempts UInt64 COMMENT 'Attempts that ended ok, with no flag that disqualifies' CODEC(T64, ZSTD(1)),
    spend Nullable(Decimal(38, 12)) COMMENT 'USD of what is priced, at least that much if no_price, no_usage or partial is above 0; NULL: of nothing' CODEC(ZSTD(1)),
    spend_input Nullable(Decimal(38, 12)) COMMENT 'USD for uncached, audio and image input; NULL as spend' CODEC(ZSTD(1)),
    spend_cache_read Nullable(Decimal(38, 12)) COMMENT 'USD for cache reads; NULL as spend' CODEC(ZSTD(1)),
    spend_cache_write Nullable(Decimal(38, 12)) COMMENT 'USD for cache writes; NULL as spend' CODEC(ZSTD(1)),
    spend_output Nullable(Decimal(38, 12)) COMMENT 'USD for output; NULL as spend' CODEC(ZSTD(1)),
    spend_tools Nullable(Decimal(38, 12)) COMMENT 'USD for web searches and fetches; NULL as spend' CODEC(ZSTD(1)),
    spend_failed Nullable(Decimal(38, 12)) COMMENT 'USD of attempts that were no good, passes billed beside them among it; NULL: nothing is known' CODEC(ZSTD(1)),
    failed_doubtful UInt64 COMMENT 'Rows of those without a price, without usage, or of whose cost a lower bound is known' CODEC(T64, ZSTD(1)),
    dearest Nullable(Decimal(38, 12)) COMMENT 'USD of the dearest row; NULL as spend' CODEC(ZSTD(1)),
    reported Nullable(Decimal(38, 12)) COMMENT 'USD that hosts themselves named, of priced and free rows; NULL: they named none' CODEC(ZSTD(1)),
    spend_reported Nullable(Decimal(38, 12)) COMMENT 'USD of the rows whose hosts named a cost, priced or free; NULL: there are none' CODEC(ZSTD(1)),
    rows_reported UInt64 COMMENT 'Rows whose hosts named a cost' CODEC(T64, ZSTD(1)),
    no_price UInt64 COMMENT 'Rows without a price' CODEC(T64, ZSTD(1)),
    no_usage UInt64 COMMENT 'Rows without usage' CODEC(T64, ZSTD(1)),
    partial UInt64 COMMENT 'Rows of whose cost a lower bound is known' CODEC(T64, ZSTD(1)),
    unpriced_tokens UInt64 COMMENT 'Tokens known of rows that are not priced' CODEC(T64, ZSTD(1)),
    known_input_tokens UInt64 COMMENT 'Input tokens, caches included, where they are known' CODEC(T64, ZSTD(1)),
    cached_tokens UInt64 COMMENT 'Input tokens read from a cache, of those' CODEC(T64, ZSTD(1)),
    cache_written_tokens UInt64 COMMENT 'Input tokens written to a cache' CODEC(T64, ZSTD(1)),
    rows_cached UInt64 COMMENT 'Rows that read from a cache or wrote to one' CODEC(T64, ZSTD(1)),
    output_tokens UInt64 COMMENT 'Output tokens of all kinds, where they are known' CODEC(T64, ZSTD(1)),
    reasoning_tokens UInt64 COMMENT 'Reasoning tokens, inside output_tokens' CODEC(T64, ZSTD(1)),
    tool_calls UInt64 COMMENT 'Tool calls in the responses' CODEC(T64, ZSTD(1)),
    tool_calls_checked UInt64 COMMENT 'Tool calls of the attempts that were checked for malformed ones' CODEC(T64, ZSTD(1)),
    tool_calls_malformed UInt64 COMMENT 'Malformed ones of those' CODEC(T64, ZSTD(1)),
    latencies AggregateFunction(quantilesDD(0.01, 0.5, 0.95, 0.99), Nullable(Float32)) COMMENT 'Durations in milliseconds, a sketch: read with quantilesDDMerge(0.01, 0.5, 0.95, 0.99), one percent off at most; attempts whose duration is NULL are left out' CODEC(ZSTD(1)),
    first_tokens AggregateFunction(quantilesDD(0.01, 0.5, 0.95, 0.99), Nullable(Float32)) COMMENT 'Milliseconds to the first token, a sketch as latencies; attempts of which it is NULL are left out' CODEC(ZSTD(1)),
    checks Tuple(name Array(LowCardinality(String)), checked Array(UInt64), failed Array(UInt64), not_checked Array(UInt64)) COMMENT 'Answers by detector, kind of failure and family: checked for it, failed, left out at a limit; add up with sumMap' CODEC(ZSTD(1)),
    failures Tuple(name Array(LowCardinality(String)), answers Array(UInt64), spend Array(Decimal(38, 12)), unpriced Array(UInt64), partial Array(UInt64)) COMMENT 'Answers by failure, USD of what is known of them, passes billed beside them among it, answers of which nothing is, and of which a lower bound is; add up with sumMap' CODEC(ZSTD(1)),
    rolled_at DateTime64(6, 'UTC') COMMENT 'When it was counted; the latest holds'
)
ENGINE = ReplacingMergeTree(rolled_at)
PARTITION BY toYYYYMM(hour)
ORDER BY (by_tenant, tenant, hour, route, provider, model, outcome, price_state, price_reason, price_id, service, environment)
COMMENT 'Attempts by hour: a rollup, stale where dirty_hours says; read attempts_by_hour or attempts_between instead'
