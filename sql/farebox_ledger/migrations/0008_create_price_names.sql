-- All names that lead to a key of the price book: the aliases, and every model of the book by its own name.
CREATE VIEW IF NOT EXISTS price_names
(
    provider String COMMENT 'Whose names; empty means any provider''s',
    field String COMMENT 'model, variant, region, host or hour',
    name String COMMENT 'Name on the wire, lower case; * for any',
    value String COMMENT 'Key in the price book'
)
AS
SELECT
    provider,
    field,
    name,
    argMax(value, rank) AS value
FROM
(
    SELECT
        provider,
        field,
        if(match = 'any', '*', pattern) AS name,
        argMax(tuple(value), added_at).1 AS value,
        1 AS rank
    FROM price_aliases
    WHERE match IN ('exact', 'any')
    GROUP BY provider, field, match, pattern
    HAVING value IS NOT NULL
    UNION ALL
    SELECT DISTINCT
        provider,
        'model' AS field,
        model AS name,
        model AS value,
        2 AS rank
    FROM prices
)
GROUP BY provider, field, name
COMMENT 'Every name that leads to a key of the price book'
