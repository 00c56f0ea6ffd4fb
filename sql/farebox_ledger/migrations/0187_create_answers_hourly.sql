-- Checked answers counted by hour and one trait: the length or version of the prompt, the language, a tool that was called;
-- twice: all tenants together, and each by itself. By tenant there are nearly as many rows as an hour has answers where tenants
-- are many, so there is nothing in a row that is a number of its own: it takes three bytes.
CREATE TABLE IF NOT EXISTS answers_hourly
(
    by_tenant UInt8 COMMENT '0 where all tenants are counted together, 1 where each is by itself' CODEC(ZSTD(1)),
    tenant LowCardinality(String) COMMENT 'Tag tenant where each is counted by itself; empty: none set, or all together',
    trait LowCardinality(String) COMMENT 'What they are told apart by: length, version, language or tool',
    hour DateTime('UTC') COMMENT 'Hour in which the attempts began' CODEC(Delta(4), ZSTD(1)),
    route LowCardinality(String) COMMENT 'Route of the attempts',
    provider LowCardinality(String) COMMENT 'Provider of the attempts',
    model LowCardinality(String) COMMENT 'Model of the attempts',
    value LowCardinality(String) COMMENT 'The trait''s value; an answer stands in the row of each tool that it called',
    answers UInt64 COMMENT 'Answers that ended ok and were checked; by tool, answers checked for malformed calls' CODEC(T64, ZSTD(1)),
    bad UInt64 COMMENT 'Those that a flag disqualifies; by tool, those with a malformed call of it' CODEC(T64, ZSTD(1)),
    hedging_checked UInt64 COMMENT 'Answers checked for hedging; by tool 0' CODEC(T64, ZSTD(1)),
    hedging UInt64 COMMENT 'Those that hedge' CODEC(T64, ZSTD(1)),
    overconfidence_checked UInt64 COMMENT 'Answers checked for overconfidence; by tool 0' CODEC(T64, ZSTD(1)),
    overconfidence UInt64 COMMENT 'Those that are overconfident' CODEC(T64, ZSTD(1)),
    calls_checked UInt64 COMMENT 'Tool calls checked for malformed ones; by tool 0' CODEC(T64, ZSTD(1)),
    calls_malformed UInt64 COMMENT 'Malformed ones of those' CODEC(T64, ZSTD(1)),
    counts Map(String, UInt64) COMMENT 'Answers by detector that found something; by tool, by how the call was malformed' CODEC(ZSTD(1)),
    spend_bad Nullable(Decimal(38, 12)) COMMENT 'USD of the bad ones; NULL: nothing is known' CODEC(ZSTD(1)),
    doubtful UInt64 COMMENT 'Bad ones without a price, without usage, or of whose cost a lower bound is known' CODEC(T64, ZSTD(1)),
    rolled_at DateTime64(6, 'UTC') COMMENT 'When it was counted; the latest holds' CODEC(Delta(8), ZSTD(1))
)
ENGINE = ReplacingMergeTree(rolled_at)
PARTITION BY toYYYYMM(hour)
ORDER BY (by_tenant, tenant, trait, hour, route, provider, model, value)
COMMENT 'Checked answers by hour and trait: a rollup, stale where dirty_hours says; read answers_between instead'
