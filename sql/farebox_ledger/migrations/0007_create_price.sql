-- The looking up itself, in memory. It does not reload by itself: whoever changes the book reloads it.
CREATE DICTIONARY IF NOT EXISTS price
(
    provider String,
    region String,
    model String,
    variant String,
    tier_above UInt32,
    valid_from DateTime('UTC'),
    valid_to DateTime('UTC'),
    tiers Array(UInt32),
    never_changed UInt8,
    price_id String,
    unsplit_billed_as String,
    instead String,
    other_units Array(String),
    other_prices Array(Decimal(38, 12)),
    prices Array(Decimal(38, 12))
)
PRIMARY KEY provider, region, model, variant, tier_above
SOURCE(CLICKHOUSE(TABLE 'price_spans'))
LAYOUT(COMPLEX_KEY_RANGE_HASHED(range_lookup_strategy 'max'))
RANGE(MIN valid_from MAX valid_to)
LIFETIME(0)
COMMENT 'price_spans in memory: the price of each unit by key, context tier and second'
