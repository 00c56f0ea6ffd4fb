-- What was promised to be spent. Append-only, like the book: a later row of the same provider and name replaces the earlier.
CREATE TABLE IF NOT EXISTS commitments
(
    provider LowCardinality(String) COMMENT 'Who bills',
    name String COMMENT 'Which promise: a contract, an order; empty where the provider has one only',
    starts Date COMMENT 'First day that counts',
    ends Date COMMENT 'First day that does not count any more',
    amount Nullable(Decimal(38, 12)) COMMENT 'What was promised to be spent in that time, in currency; NULL withdraws the promise',
    currency LowCardinality(String) COMMENT 'Currency of the amount',
    checked_on Date COMMENT 'Day on which it was entered',
    source String COMMENT 'File or contract it comes from',
    note String COMMENT 'What a reader should know about it; empty if nothing',
    added_at DateTime64(6, 'UTC') COMMENT 'When the row was added; of equal keys the latest holds'
)
ENGINE = MergeTree
ORDER BY (provider, name, added_at)
COMMENT 'Commitments: what was promised to be spent at a provider in a time'
