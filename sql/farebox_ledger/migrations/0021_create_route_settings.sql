-- What an organisation decides for a route. Append-only: a later row of the same route holds from its valid_from on.
CREATE TABLE IF NOT EXISTS route_settings
(
    route LowCardinality(String) COMMENT 'Route; * for every route without a row of its own',
    disqualifying Array(LowCardinality(String)) COMMENT 'Families of flags that make an answer a failure; empty: none does',
    human_usd_per_minute Nullable(Decimal(18, 6)) COMMENT 'USD that a minute of a person''s work costs; NULL: not known, and minutes stay without a cost',
    valid_from DateTime('UTC') COMMENT 'First second it applies to, by the start of the attempt or task',
    who String COMMENT 'Who decided it',
    why String COMMENT 'Why; empty: nothing to say',
    added_at DateTime64(6, 'UTC') DEFAULT now64(6, 'UTC') COMMENT 'When the row was added; of equal route and valid_from the latest holds'
)
ENGINE = MergeTree
ORDER BY (route, valid_from, added_at)
COMMENT 'Settings of routes: which flags disqualify an answer, and what a minute of human work costs; each from a date on'
