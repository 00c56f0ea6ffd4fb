-- Do the providers' bills agree with the ledger? One row a provider, day and currency that was checked, of the 31 days to the range's
-- end, the latest first: billed, recorded after discounts, and the difference (above 0: the ledger has too little), in the
-- currency named; the reason behind most of it. `not fully priced` counts units recorded that have no price.
SELECT
    day AS `day`,
    provider AS `provider`,
    state AS `state`,
    toFloat64(billed) AS `billed`,
    toFloat64(recorded) AS `recorded`,
    toFloat64(difference) AS `difference`,
    currency AS `currency`,
    reason AS `mostly because`,
    toFloat64(reason_difference) AS `of it`,
    toFloat64(unpriced_quantity) AS `not fully priced`,
    checked_at AS `checked`,
    ifNull(toString(difference), '') AS `difference, exact`
FROM bill_days
WHERE day >= toDate($__toTime_ms - INTERVAL 31 DAY) AND day <= toDate($__toTime_ms) AND @chosen(provider)
ORDER BY day DESC, provider, currency
LIMIT 200
