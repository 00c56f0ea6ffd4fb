-- Why a bill and the ledger differ: the differences of bill_checks, taken apart by reason. They add up to them.
CREATE TABLE IF NOT EXISTS bill_findings
(
    run String COMMENT 'Id of the check',
    checked_at DateTime64(6, 'UTC') COMMENT 'When it was made',
    provider LowCardinality(String) COMMENT 'Who bills',
    day Date COMMENT 'Day as the provider counts it; first day of a longer period, where the bill has no days',
    workspace LowCardinality(String) COMMENT 'Workspace; empty: not compared by it',
    project LowCardinality(String) COMMENT 'Project; empty: not compared by it',
    key LowCardinality(String) COMMENT 'Key; empty: not compared by it',
    model LowCardinality(String) COMMENT 'Canonical model; empty: the bill does not say',
    tier LowCardinality(String) COMMENT 'Service tier as the price book names it; empty: standard, or the bill does not say',
    unit LowCardinality(String) COMMENT 'Usage leaf, or a sum of several; empty: the bill does not say',
    reason LowCardinality(String) COMMENT 'unpriced, partial, missing_usage, dropped, foreign, price, tier, cache_lifetime, time_zone, late, duplicate, currency, rounding or not_billed; sql/README.md explains them',
    currency LowCardinality(String) COMMENT 'Currency of difference',
    difference Nullable(Decimal(76, 20)) COMMENT 'Billed minus recorded: above 0 where the ledger has too little; NULL: what is recorded, or billed, has no amount to compare in this currency',
    quantity Nullable(Decimal(38, 12)) COMMENT 'Units behind it; NULL: it is not a matter of units',
    evidence String COMMENT 'What it rests on, in a sentence; empty: nothing to add'
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(checked_at)
ORDER BY (provider, day, checked_at)
COMMENT 'Why bills and ledger differ, one row a reason of a cell; append-only'
