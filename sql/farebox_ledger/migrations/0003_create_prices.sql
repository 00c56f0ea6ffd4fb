-- The price book, one row a price. Append-only: a correction or a new price is a new row, so that any past figure can be
-- explained with the rows that were there.
CREATE TABLE IF NOT EXISTS prices
(
    provider LowCardinality(String) COMMENT 'Who bills: farebox.provider of the attempts it prices',
    region LowCardinality(String) COMMENT 'Region as price_aliases resolve it; empty is the price without a region',
    model LowCardinality(String) COMMENT 'Canonical model name; price_aliases lead from the names providers use',
    variant LowCardinality(String) COMMENT 'batch, flex, priority, fast …; empty is the standard price',
    unit LowCardinality(String) COMMENT 'What is counted: the name of a usage leaf of llm_attempts, or hours where a machine is paid for, not its work',
    tier_above UInt32 COMMENT 'Applies to calls whose total input, caches included, is above this many tokens',
    price Nullable(Decimal(38, 12)) COMMENT 'For one unit, in currency; NULL withdraws the price from valid_from on',
    currency LowCardinality(String) DEFAULT 'USD' COMMENT 'What the provider bills in; a price in another currency than USD is kept, and never added to USD',
    valid_from DateTime('UTC') COMMENT 'First second it applies; 1970-01-01 where no beginning is known',
    approximate Bool COMMENT 'True where the source is not the provider''s own price page',
    checked_on Date COMMENT 'Day on which somebody read the source',
    source String COMMENT 'Page, catalogue or person the price comes from',
    note String COMMENT 'What a reader should know about this price; empty if nothing',
    book LowCardinality(String) COMMENT 'farebox: shipped. imported: from a newer catalogue; of the two the later checked_on holds. user: your own, which goes before both',
    added_at DateTime64(6, 'UTC') COMMENT 'When the row was added; of equal keys the latest holds',
    CONSTRAINT price_is_sane CHECK price IS NULL OR (price >= 0 AND price <= 1000000)
)
ENGINE = MergeTree
ORDER BY (provider, model, region, variant, unit, tier_above, valid_from, added_at)
COMMENT 'The price book: USD for one unit, by provider, region, model, variant and context tier, each from a date on'
