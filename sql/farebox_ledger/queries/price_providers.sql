-- What does the book hold of each provider, and how old is it? One row a provider: models and prices in force counted,
-- those of the user apart; the days on which the oldest and the newest of its prices were checked.
WITH latest AS
(
    SELECT
        provider,
        model,
        book,
        argMax((price, approximate, checked_on), added_at) AS said
    FROM prices
    GROUP BY provider, region, model, variant, unit, tier_above, valid_from, book
)
SELECT
    provider,
    uniqExact(model) AS models,
    count() AS prices,
    countIf(book = 'user') AS own_prices,
    countIf(said.2) AS approximate,
    min(said.3) AS oldest_check,
    max(said.3) AS newest_check
FROM latest
WHERE said.1 IS NOT NULL
GROUP BY provider
ORDER BY provider
