-- Bills held against the ledger: what was billed and what is recorded, cell by cell. Append-only; of a provider and day the
-- latest run is the state, see bill_days.
CREATE TABLE IF NOT EXISTS bill_checks
(
    run String COMMENT 'Id of the check',
    checked_at DateTime64(6, 'UTC') COMMENT 'When it was made',
    who LowCardinality(String) COMMENT 'Who made it',
    provider LowCardinality(String) COMMENT 'Who bills',
    day Date COMMENT 'Day as the provider counts it; first day of a longer period, where the bill has no days',
    workspace LowCardinality(String) COMMENT 'Workspace; empty: not compared by it',
    project LowCardinality(String) COMMENT 'Project; empty: not compared by it',
    key LowCardinality(String) COMMENT 'Key; empty: not compared by it',
    model LowCardinality(String) COMMENT 'Canonical model; empty: the bill does not say',
    tier LowCardinality(String) COMMENT 'Service tier as the price book names it; empty: standard, or the bill does not say',
    unit LowCardinality(String) COMMENT 'Usage leaf, or a sum of several that the bill names together; empty: the bill does not say',
    currency LowCardinality(String) COMMENT 'Currency of billed, recorded and difference',
    billed_quantity Nullable(Decimal(38, 12)) COMMENT 'Units billed; NULL: the bill does not say',
    recorded_quantity Nullable(Decimal(38, 12)) COMMENT 'Units recorded, those without a price among them; NULL: the bill does not say the unit',
    billed Nullable(Decimal(76, 20)) COMMENT 'What is billed; of a report of usage its value at the price book. What a bill says of several cells together and cannot be told apart has a row of its own, with no unit. NULL: billed in another currency, in a row of its own, or without any price',
    recorded Decimal(76, 20) COMMENT 'What the ledger says, after negotiated discounts; what has no price is not in it',
    unpriced_quantity Decimal(38, 12) COMMENT 'Units recorded that have no price',
    tolerance Decimal(38, 12) COMMENT 'Share of the larger side up to which a difference counts as matched'
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(checked_at)
ORDER BY (provider, day, checked_at)
COMMENT 'Bills held against the ledger, one row a provider, day, scope, model, tier and unit; append-only'
