-- What was imported, and which time it speaks for: a day without a line is a day on which nothing was billed. Of a provider and
-- day the latest run counts whose exports speak for it; former ones stay readable.
CREATE TABLE IF NOT EXISTS bill_imports
(
    run String COMMENT 'Id of the run that imported it; exports that came together count together',
    provider LowCardinality(String) COMMENT 'Who bills',
    bill_id String COMMENT 'The export: bill_id of its lines in bills',
    format LowCardinality(String) COMMENT 'Shape it came in, e.g. anthropic-cost',
    says LowCardinality(String) COMMENT 'usage (quantities), cost (amounts) or both',
    covers_from DateTime('UTC') COMMENT 'First second it speaks for',
    covers_until DateTime('UTC') COMMENT 'First second it does not speak for any more',
    lines UInt32 COMMENT 'How many lines it has',
    source String COMMENT 'File or API it was read from',
    who String COMMENT 'Who imported it',
    imported_at DateTime64(6, 'UTC') COMMENT 'When',
    CONSTRAINT says_is_known CHECK says IN ('usage', 'cost', 'both')
)
ENGINE = MergeTree
ORDER BY (provider, imported_at, bill_id)
COMMENT 'Imports of bills, one row an export; append-only'
