-- Checked answers counted by hour and one trait: the length or version of the prompt, the language, a tool that was called. Of
-- all tenants together: by tenant there would be nearly as many rows as answers.
CREATE TABLE IF NOT EXISTS answers_hourly
(
    trait LowCardinality(String) COMMENT 'What they are told apart by: length, version, language or tool',
    hour DateTime('UTC') COMMENT 'Hour in which the attempts began' CODEC(Delta(4), ZSTD(1)),
    route LowCardinality(String) COMMENT 'Route of the attempts',
    provider LowCardinality(String) COMMENT 'Provider of the attempts',
    model LowCardinality(String) COMMENT 'Model of the attempts',
    value String COMMENT 'The trait''s value; an answer stands in the row of each tool that it called' CODEC(ZSTD(1)),
    least_input Nullable(UInt64) COMMENT 'The shortest prompt, in input tokens; NULL: none is known' CODEC(ZSTD(1)),
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
    rolled_at DateTime64(6, 'UTC') COMMENT 'When it was counted; the latest holds'
)
ENGINE = ReplacingMergeTree(rolled_at)
PARTITION BY toYYYYMM(hour)
ORDER BY (trait, hour, route, provider, model, value)
COMMENT 'Checked answers by hour and trait: a rollup, stale where dirty_hours says; read answers_between instead'
