-- What is paid of the list price, where something else was agreed on. Append-only, like the book.
CREATE TABLE IF NOT EXISTS price_discounts
(
    provider LowCardinality(String) COMMENT 'Who bills',
    model LowCardinality(String) COMMENT 'Canonical model name; empty means every model of the provider that has no discount of its own',
    valid_from DateTime('UTC') COMMENT 'First second it applies; 1970-01-01 where no beginning is known',
    factor Nullable(Decimal(18, 8)) COMMENT 'Share of the list price that is paid, 0.9 for ten percent off; NULL withdraws the discount from valid_from on',
    checked_on Date COMMENT 'Day on which it was entered',
    source String COMMENT 'File or contract it comes from',
    note String COMMENT 'What a reader should know about it; empty if nothing',
    added_at DateTime64(6, 'UTC') COMMENT 'When the row was added; of equal keys the latest holds',
    CONSTRAINT factor_is_a_share CHECK factor IS NULL OR (factor >= 0 AND factor <= 1)
)
ENGINE = MergeTree
ORDER BY (provider, model, valid_from, added_at)
COMMENT 'Negotiated discounts: the share of the list price that is paid, by provider and model, each from a date on'
