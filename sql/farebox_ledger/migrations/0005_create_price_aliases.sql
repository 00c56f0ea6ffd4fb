-- Rules that lead from the names on the wire to the keys of the price book. Append-only, like the book.
CREATE TABLE IF NOT EXISTS price_aliases
(
    provider LowCardinality(String) COMMENT 'Whose names; empty means any provider''s',
    field LowCardinality(String) COMMENT 'model, variant (service tier and speed), region, host (region of an address) or hour (variant of a model at a half hour of the day, UTC)',
    match LowCardinality(String) COMMENT 'exact: the whole name, lower case. prefix, suffix: a regular expression (RE2), cut off that end of a model name when the rest is known. any: whatever has no exact rule (regions)',
    pattern String COMMENT 'The name or the regular expression; empty for any',
    value Nullable(String) COMMENT 'Key in the price book that an exact or any rule leads to; empty text for prefix and suffix; NULL withdraws the rule',
    checked_on Date COMMENT 'Day on which somebody read the source',
    source String COMMENT 'Page, catalogue or person the rule comes from',
    added_at DateTime64(6, 'UTC') COMMENT 'When the row was added; of equal keys the latest holds'
)
ENGINE = MergeTree
ORDER BY (provider, field, match, pattern, added_at)
COMMENT 'From the names that providers use for models, tiers and regions to the keys of the price book'
