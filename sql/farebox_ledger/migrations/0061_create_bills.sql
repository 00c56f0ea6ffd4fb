-- What providers say they billed: lines of invoices and of their cost APIs. Append-only: a later import of a line replaces it.
CREATE TABLE IF NOT EXISTS bills
(
    provider LowCardinality(String) COMMENT 'Who billed',
    bill_id String COMMENT 'Invoice, or export it comes from',
    line_id String COMMENT 'Line within the bill',
    charge_period_start DateTime('UTC') COMMENT 'First second that is billed',
    charge_period_end DateTime('UTC') COMMENT 'First second that is not billed any more',
    organization LowCardinality(String) COMMENT 'As the provider names it; empty: not said',
    workspace LowCardinality(String) COMMENT 'As the provider names it; empty: not said',
    project LowCardinality(String) COMMENT 'As the provider names it; empty: not said',
    key_fingerprint LowCardinality(String) COMMENT 'Fingerprint of the key; empty: not said',
    model LowCardinality(String) COMMENT 'Model as the provider names it; empty: not said',
    service_tier LowCardinality(String) COMMENT 'Tier as the provider names it; empty: not said',
    unit LowCardinality(String) COMMENT 'Usage leaf that is billed; empty: not said',
    quantity Nullable(Decimal(38, 12)) COMMENT 'Units billed; NULL: not said',
    amount Decimal(38, 12) COMMENT 'What is billed, in currency, before taxes',
    currency LowCardinality(String) COMMENT 'Currency of the amount',
    source String COMMENT 'File or API it was read from',
    who String COMMENT 'Who imported it',
    imported_at DateTime64(6, 'UTC') DEFAULT now64(6, 'UTC') COMMENT 'When; of equal lines the latest holds'
)
ENGINE = ReplacingMergeTree(imported_at)
ORDER BY (provider, bill_id, line_id, charge_period_start)
COMMENT 'Bills of providers, one row a line; read with FINAL'
