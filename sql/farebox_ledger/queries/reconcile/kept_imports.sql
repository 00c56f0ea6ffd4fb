-- Which exports of bills were imported that speak of a period? One row an export; no providers means all.
SELECT
    run,
    provider,
    bill_id,
    format,
    covers_from,
    covers_until,
    source,
    imported_at
FROM bill_imports
WHERE covers_from < {until:DateTime('UTC')} AND covers_until > {since:DateTime('UTC')}
    AND (empty({providers:Array(String)}) OR provider IN {providers:Array(String)})
ORDER BY provider, imported_at, bill_id
