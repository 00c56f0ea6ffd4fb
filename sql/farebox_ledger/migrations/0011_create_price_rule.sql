-- price_rules in memory.
CREATE DICTIONARY IF NOT EXISTS price_rule
(
    id UInt64,
    prefixes String,
    suffixes String,
    book_version DateTime64(6, 'UTC')
)
PRIMARY KEY id
SOURCE(CLICKHOUSE(TABLE 'price_rules'))
LAYOUT(FLAT())
LIFETIME(0)
COMMENT 'price_rules in memory: a single row'
