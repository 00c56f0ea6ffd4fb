-- To which model of the book does a name on a bill lead, and to which variant a tier? The steps are those of stored_attempts_mv.
WITH
    lower(name) AS said,
    replaceRegexpOne(concat({provider:String}, ' ', said), dictGet('price_rule', 'prefixes', toUInt64(0)), '') AS bare,
    dictGet('price_rule', 'suffixes', toUInt64(0)) AS suffixes
SELECT
    name,
    coalesce(
        dictGetOrNull('price_name', 'value', ({provider:String}, 'model', said)),
        dictGetOrNull('price_name', 'value', ({provider:String}, 'model', bare)),
        dictGetOrNull('price_name', 'value', ({provider:String}, 'model', replaceRegexpOne(concat(said, ' ', {provider:String}), suffixes, ''))),
        dictGetOrNull('price_name', 'value', ({provider:String}, 'model', replaceRegexpOne(concat(bare, ' ', {provider:String}), suffixes, ''))),
        said
    ) AS model,
    coalesce(
        dictGetOrNull('price_name', 'value', ({provider:String}, 'variant', said)),
        dictGetOrNull('price_name', 'value', ('', 'variant', said)),
        said
    ) AS tier
FROM (SELECT arrayJoin({names:Array(String)}) AS name)
