-- Calls and tasks that began in a period, by hour and the route, provider, model and tenant of the first call, as the
-- dashboard's variables let them through, each with all that became of it.
(
    SELECT
        toDateTime64(hour, 6, 'UTC') AS moment,
        tenant,
        route,
        provider,
        model,
        calls,
        failed,
        tasks,
        successes,
        spend,
        unpriced + partial + human_unpriced AS doubts
    FROM tasks_between(
        since = toDateTime64(@since, 6, 'UTC'),
        until = toDateTime64(@until, 6, 'UTC'),
        by_tenant = if(@all(tenant), 0, 1)
    )
    WHERE @chosen(route) AND @chosen(provider) AND @chosen(model) AND @chosen(tenant)
)
