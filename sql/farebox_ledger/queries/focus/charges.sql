-- What was charged, by period, provider, account, model, tier, region, unit, price and tags? One row a FOCUS row of usage whose
-- price is known: units, and costs in its currency, exact; counts of calls, and of those that are a lower bound.
SELECT
    if({grain:String} = 'day', toDateTime(toStartOfDay(started_at, 'UTC'), 'UTC'), toStartOfHour(started_at)) AS period_start,
    provider,
    organization,
    workspace,
    project,
    model,
    tier,
    region,
    unit,
    currency,
    list_unit_price,
    factor,
    price_id,
    mapFilter(
        (name, value) -> value != '' AND has({tags:Array(String)}, name),
        map(
            'environment', toString(environment),
            'prompt_version', toString(prompt_version),
            'route', toString(route),
            'service', toString(service),
            'task', task,
            'tenant', toString(tenant),
            'user', user_id
        )
    ) AS tags,
    if({grain:String} = 'call', lower(hex(trace_id)), '') AS trace,
    if({grain:String} = 'call', lower(hex(span_id)), '') AS span,
    sum(assumeNotNull(quantity)) AS units,
    sum(assumeNotNull(charge)) AS list_cost,
    sum(multiplyDecimal(assumeNotNull(charge), factor, 20)) AS net_cost,
    max(price_book_version) AS book_version,
    count() AS calls,
    countIf(price_state = 'partial') AS partial_calls
FROM llm_charges AS charges
WHERE started_at >= {since:DateTime64(6, 'UTC')} AND started_at < {until:DateTime64(6, 'UTC')}
    AND ({route:String} = '' OR route = {route:String}) AND ({model:String} = '' OR model = {model:String})
    AND unit != '' AND charge IS NOT NULL AND (charges.list_cost IS NOT NULL OR currency != 'USD')
GROUP BY period_start, provider, organization, workspace, project, model, tier, region, unit, currency, list_unit_price, factor, price_id, tags, trace, span
ORDER BY period_start, provider, organization, workspace, project, model, tier, region, unit, currency, list_unit_price, factor, price_id, tags, trace, span
