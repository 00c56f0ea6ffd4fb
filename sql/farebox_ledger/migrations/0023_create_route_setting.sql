-- route_setting_spans in memory. It does not reload by itself: whoever changes route_settings reloads it.
CREATE DICTIONARY IF NOT EXISTS route_setting
(
    route String,
    valid_from DateTime('UTC'),
    valid_to DateTime('UTC'),
    disqualifying Array(String),
    human_usd_per_minute Nullable(Decimal(18, 6))
)
PRIMARY KEY route
SOURCE(CLICKHOUSE(TABLE 'route_setting_spans'))
LAYOUT(COMPLEX_KEY_RANGE_HASHED())
RANGE(MIN valid_from MAX valid_to)
LIFETIME(0)
COMMENT 'route_setting_spans in memory: the settings of a route at a second'
