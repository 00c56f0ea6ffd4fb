-- price_names in memory.
CREATE DICTIONARY IF NOT EXISTS price_name
(
    provider String,
    field String,
    name String,
    value String
)
PRIMARY KEY provider, field, name
SOURCE(CLICKHOUSE(TABLE 'price_names'))
LAYOUT(COMPLEX_KEY_HASHED())
LIFETIME(0)
COMMENT 'price_names in memory: the key of the price book that a name leads to'
