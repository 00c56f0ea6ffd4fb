-- discounts in memory.
CREATE DICTIONARY IF NOT EXISTS discount
(
    provider String,
    model String,
    valid_from DateTime('UTC'),
    valid_to DateTime('UTC'),
    factor Nullable(Decimal(18, 8))
)
PRIMARY KEY provider, model
SOURCE(CLICKHOUSE(TABLE 'discounts'))
LAYOUT(COMPLEX_KEY_RANGE_HASHED())
RANGE(MIN valid_from MAX valid_to)
LIFETIME(0)
COMMENT 'discounts in memory: the share of the list price that is paid, by provider, model and second'
