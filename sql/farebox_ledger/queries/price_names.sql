-- To which model of the book does a name on the wire lead, at each provider that knows it? One row a provider; the steps
-- are those of stored_attempts_mv.
WITH
    lower({name:String}) AS said_model,
    replaceRegexpOne(concat(provider, ' ', said_model), dictGet('price_rule', 'prefixes', toUInt64(0)), '') AS bare_model,
    dictGet('price_rule', 'suffixes', toUInt64(0)) AS suffixes
SELECT
    provider,
    coalesce(
        dictGetOrNull('price_name', 'value', (provider, 'model', said_model)),
        dictGetOrNull('price_name', 'value', (provider, 'model', bare_model)),
        dictGetOrNull('price_name', 'value', (provider, 'model', replaceRegexpOne(concat(said_model, ' ', provider), suffixes, ''))),
        dictGetOrNull('price_name', 'value', (provider, 'model', replaceRegexpOne(concat(bare_model, ' ', provider), suffixes, ''))),
        ''
    ) AS model
FROM (SELECT DISTINCT provider FROM prices)
WHERE model != '' AND ({provider:String} = '' OR provider = {provider:String})
ORDER BY provider
