-- Where a model has no price of its own for a unit, and the provider is known to bill it as another unit.
CREATE TABLE IF NOT EXISTS price_fallbacks
(
    provider LowCardinality(String) COMMENT 'Who bills',
    unit LowCardinality(String) COMMENT 'Unit that a model may have no price of its own for',
    billed_as LowCardinality(String) COMMENT 'Unit whose price then holds; empty withdraws the rule',
    checked_on Date COMMENT 'Day on which somebody read the source',
    source String COMMENT 'Page or person the rule comes from',
    note String COMMENT 'Why it holds',
    added_at DateTime64(6, 'UTC') COMMENT 'When the row was added; of equal keys the latest holds'
)
ENGINE = MergeTree
ORDER BY (provider, unit, added_at)
COMMENT 'Which unit''s price stands in where a model has none of its own; without a rule the attempt is no_price'
