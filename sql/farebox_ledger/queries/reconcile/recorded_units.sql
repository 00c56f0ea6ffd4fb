-- What does the ledger hold of some providers, by hour, scope, model, tier, unit and price? Quantities in units; cost in USD after
-- discounts; charge in the currency of the price.
SELECT
    toStartOfHour(started_at) AS hour,
    provider,
    workspace,
    project,
    key_fingerprint AS key,
    model,
    tier,
    unit,
    currency,
    multiplyDecimal(list_unit_price, factor, 20) AS price,
    sum(ifNull(quantity, 0)) AS units,
    sum(ifNull(net_cost, toDecimal256(0, 20))) AS cost,
    sumIf(ifNull(quantity, 0), net_cost IS NULL AND (currency = 'USD' OR charge IS NULL)) AS unpriced_units,
    sum(ifNull(multiplyDecimal(charge, factor, 20), toDecimal256(0, 20))) AS charged
FROM llm_charges
WHERE started_at >= {since:DateTime64(6, 'UTC')} AND started_at < {until:DateTime64(6, 'UTC')} AND provider IN {providers:Array(String)} AND unit != ''
GROUP BY hour, provider, workspace, project, key, model, tier, unit, currency, price
ORDER BY hour, provider, workspace, project, key, model, tier, unit, currency, price
