-- What do the exports say that speak of a period? One row a line; quantities in units, amounts in their currency.
SELECT
    provider,
    bill_id,
    line_id,
    charge_period_start,
    charge_period_end,
    organization,
    workspace,
    project,
    key_id,
    model,
    service_tier,
    region,
    unit,
    quantity,
    amount,
    currency,
    description
FROM bills FINAL
WHERE (provider, bill_id) IN
(
    SELECT provider, bill_id
    FROM bill_imports
    WHERE covers_from < {until:DateTime('UTC')} AND covers_until > {since:DateTime('UTC')}
        AND (empty({providers:Array(String)}) OR provider IN {providers:Array(String)})
)
ORDER BY provider, bill_id, toUInt64OrZero(splitByChar(' ', line_id)[1])
