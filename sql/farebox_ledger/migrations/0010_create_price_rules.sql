-- The prefix and suffix rules joined into one regular expression each, and the version of the book: a single row.
-- A prefix is matched against 'provider name' and a suffix against 'name provider', so that a rule can be one
-- provider's; where a rule matches, the provider is cut off with it.
CREATE VIEW IF NOT EXISTS price_rules
(
    id UInt64 COMMENT 'Always 0',
    prefixes String COMMENT 'Regular expression that cuts a prefix off provider, space, name',
    suffixes String COMMENT 'Regular expression that cuts a suffix off name, space, provider',
    book_version DateTime64(6, 'UTC') COMMENT 'When the newest row of the book, its fallbacks or its aliases was added'
)
AS
WITH rules AS
(
    SELECT
        if(provider = '', '[a-z_]+', provider) AS whose,
        match,
        pattern,
        argMax(tuple(value), added_at).1 IS NOT NULL AS holds
    FROM price_aliases
    WHERE field = 'model' AND match IN ('prefix', 'suffix')
    GROUP BY provider, match, pattern
)
SELECT
    0 AS id,
    (
        SELECT concat('^(?:', arrayStringConcat(arraySort(groupArray(concat(whose, ' (?:', pattern, ')'))), '|'), ')')
        FROM rules
        WHERE holds AND match = 'prefix'
    ) AS prefixes,
    (
        SELECT concat('(?:', arrayStringConcat(arraySort(groupArray(concat('(?:', pattern, ') ', whose))), '|'), ')$')
        FROM rules
        WHERE holds AND match = 'suffix'
    ) AS suffixes,
    greatest(
        (SELECT max(added_at) FROM prices),
        (SELECT max(added_at) FROM price_fallbacks),
        (SELECT max(added_at) FROM price_aliases)
    ) AS book_version
COMMENT 'The rules that cut model names, joined, and the version of the book'
