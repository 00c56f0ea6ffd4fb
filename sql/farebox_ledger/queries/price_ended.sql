-- Which prices of one's own have ended by a moment, and hold no longer? One row a unit and context tier; `former` in
-- `currency` for one unit.
SELECT
    provider,
    model,
    variant,
    region,
    unit,
    tier_above,
    argMax(currency, (said.valid_from, checked_on, added_at)) AS currency,
    max(said.valid_from) AS ended_at,
    argMaxIf(price, (said.valid_from, checked_on, added_at), price IS NOT NULL) AS former,
    argMax(note, (said.valid_from, checked_on, added_at)) AS why
FROM prices AS said
WHERE book = 'user' AND said.valid_from <= {at:DateTime64(6, 'UTC')}
GROUP BY provider, model, variant, region, unit, tier_above
HAVING argMax(tuple(price), (said.valid_from, checked_on, added_at)).1 IS NULL
ORDER BY provider, model, variant, region, unit, tier_above
