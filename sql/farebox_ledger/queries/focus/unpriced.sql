-- What was used that has no price, by period, provider, model, tier, unit and reason? Units, NULL where none were counted, and
-- calls; each call counts once, in its first row.
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
    price_state,
    price_reason,
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
    sum(quantity) AS units,
    countIf(line = 1) AS calls
FROM llm_charges
WHERE started_at >= {since:DateTime64(6, 'UTC')} AND started_at < {until:DateTime64(6, 'UTC')}
    AND ({route:String} = '' OR route = {route:String}) AND ({model:String} = '' OR model = {model:String})
    AND price_state IN ('no_price', 'no_usage') AND NOT (unit != '' AND charge IS NOT NULL AND currency != 'USD')
GROUP BY period_start, provider, organization, workspace, project, model, tier, region, unit, price_state, price_reason, tags, trace, span
ORDER BY period_start, provider, organization, workspace, project, model, tier, region, unit, price_state, price_reason, tags, trace, span
