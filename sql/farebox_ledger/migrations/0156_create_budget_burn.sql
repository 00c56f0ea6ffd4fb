-- How much of each budget is spent, and what it comes to by the end of its period if spending goes on as lately: as in the
-- last hour for an hour's budget, the last day for a day's, else the last seven days, from the hour the ledger first saw it.
-- Budgets of routes, models and providers, and those of tenants and users, are counted from rollups; all others, of keys
-- among them, attempt by attempt. Hours count whole.
CREATE VIEW IF NOT EXISTS budget_burn
AS
WITH
    toDateTime({at:DateTime('UTC')}, 'UTC') AS at,
    held AS
    (
        WITH
            ['route', 'provider', 'model', 'service', 'environment'] AS by_traffic,
            ['tenant', 'user_id'] AS by_person,
            ['key_fingerprint', 'organization', 'workspace', 'project', 'prompt_version', 'task'] AS by_attempt,
            arrayMap(each -> toString(each), mapKeys(applies_to)) AS keys
        SELECT
            name,
            period,
            amount,
            applies_to,
            valid_from,
            who,
            why,
            period_start,
            period_end,
            multiIf(
                hasAll(by_traffic, keys), 'traffic',
                hasAll(by_person, keys), 'people',
                arrayAll(key -> startsWith(key, 'tag.') OR has(arrayConcat(by_traffic, by_person, by_attempt), key), keys), 'attempts',
                'nothing'
            ) AS counted_from,
            toStartOfHour(toDateTime({at:DateTime('UTC')}, 'UTC')) AS this_hour,
            multiIf(
                period = 'hour', this_hour - INTERVAL 1 HOUR,
                period = 'day', this_hour - INTERVAL 1 DAY,
                this_hour - INTERVAL 7 DAY
            ) AS lately_from,
            least(period_start, lately_from) AS needed_from
        FROM budgets_in_force(at = {at:DateTime('UTC')})
    ),
    spent AS
    (
        SELECT held.name AS name, hour, spend, no_price + no_usage AS unpriced, partial
        FROM attempts_by_hour AS counted
        CROSS JOIN held
        WHERE held.counted_from = 'traffic'
            AND hour >= (SELECT min(needed_from) FROM held WHERE counted_from = 'traffic')
            AND (NOT mapContains(held.applies_to, 'route') OR counted.route = held.applies_to['route'])
            AND (NOT mapContains(held.applies_to, 'provider') OR counted.provider = held.applies_to['provider'])
            AND (NOT mapContains(held.applies_to, 'model') OR counted.model = held.applies_to['model'])
            AND (NOT mapContains(held.applies_to, 'service') OR counted.service = held.applies_to['service'])
            AND (NOT mapContains(held.applies_to, 'environment') OR counted.environment = held.applies_to['environment'])
        UNION ALL
        SELECT held.name AS name, hour, spend, no_price + no_usage AS unpriced, partial
        FROM users_by_hour AS counted
        CROSS JOIN held
        WHERE held.counted_from = 'people'
            AND hour >= (SELECT min(needed_from) FROM held WHERE counted_from = 'people')
            AND (NOT mapContains(held.applies_to, 'tenant') OR counted.tenant = held.applies_to['tenant'])
            AND (NOT mapContains(held.applies_to, 'user_id') OR counted.user_id = held.applies_to['user_id'])
        UNION ALL
        SELECT
            held.name AS name,
            toStartOfHour(counted.started_at) AS hour,
            counted.list_cost AS spend,
            toUInt64(counted.list_cost IS NULL) AS unpriced,
            toUInt64(counted.price_state = 'partial') AS partial
        FROM llm_attempts AS counted
        CROSS JOIN held
        WHERE held.counted_from = 'attempts'
            AND counted.started_at >= (SELECT if(count() = 0, toDateTime('2106-01-01 00:00:00', 'UTC'), min(needed_from)) FROM held WHERE counted_from = 'attempts')
            AND (NOT mapContains(held.applies_to, 'route') OR counted.route = held.applies_to['route'])
            AND (NOT mapContains(held.applies_to, 'provider') OR counted.provider = held.applies_to['provider'])
            AND (NOT mapContains(held.applies_to, 'model') OR counted.model = held.applies_to['model'])
            AND (NOT mapContains(held.applies_to, 'service') OR counted.service = held.applies_to['service'])
            AND (NOT mapContains(held.applies_to, 'environment') OR counted.environment = held.applies_to['environment'])
            AND (NOT mapContains(held.applies_to, 'tenant') OR counted.tenant = held.applies_to['tenant'])
            AND (NOT mapContains(held.applies_to, 'user_id') OR counted.user_id = held.applies_to['user_id'])
            AND (NOT mapContains(held.applies_to, 'key_fingerprint') OR counted.key_fingerprint = held.applies_to['key_fingerprint'])
            AND (NOT mapContains(held.applies_to, 'organization') OR counted.organization = held.applies_to['organization'])
            AND (NOT mapContains(held.applies_to, 'workspace') OR counted.workspace = held.applies_to['workspace'])
            AND (NOT mapContains(held.applies_to, 'project') OR counted.project = held.applies_to['project'])
            AND (NOT mapContains(held.applies_to, 'prompt_version') OR counted.prompt_version = held.applies_to['prompt_version'])
            AND (NOT mapContains(held.applies_to, 'task') OR counted.task = held.applies_to['task'])
            AND arrayAll(
                (key, value) -> NOT startsWith(key, 'tag.') OR counted.tags[substring(key, 5)] = value,
                mapKeys(held.applies_to),
                mapValues(held.applies_to)
            )
    ),
    counted AS
    (
        SELECT
            held.name AS name,
            countIf(spent.hour >= held.period_start) AS groups,
            sumIf(spent.spend, spent.hour >= held.period_start) AS known_spend,
            sumIf(spent.unpriced, spent.hour >= held.period_start) AS unpriced,
            sumIf(spent.partial, spent.hour >= held.period_start) AS partial,
            ifNull(sumIf(spent.spend, spent.hour >= held.lately_from), 0) AS lately_spend,
            minOrNullIf(spent.hour, spent.hour >= held.lately_from) AS lately_began
        FROM spent
        INNER JOIN held ON held.name = spent.name
        WHERE spent.hour >= held.needed_from AND spent.hour <= {at:DateTime('UTC')}
        GROUP BY held.name
    )
SELECT
    held.name AS name,
    held.period AS period,
    held.amount AS amount,
    held.applies_to AS applies_to,
    if(
        empty(held.applies_to),
        'everything',
        arrayStringConcat(arrayMap((key, value) -> concat(toString(key), '=', value), mapKeys(held.applies_to), mapValues(held.applies_to)), ', ')
    ) AS scope,
    held.period_start AS period_start,
    held.period_end AS period_end,
    multiIf(held.counted_from = 'nothing', NULL, ifNull(counted.groups, 0) = 0, toDecimal128(0, 12), counted.known_spend) AS spend,
    ifNull(counted.unpriced, 0) AS unpriced,
    ifNull(counted.partial, 0) AS partial,
    held.amount - spend AS remaining,
    if(held.amount = 0, NULL, toFloat64(spend) / toFloat64(held.amount)) AS burn,
    greatest(dateDiff('second', ifNull(counted.lately_began, held.lately_from), at), 1) AS lately_s,
    greatest(dateDiff('second', at, held.period_end), 0) AS remaining_s,
    if(
        spend IS NULL,
        NULL,
        spend + toDecimal128(divideDecimal(multiplyDecimal(toDecimal256(ifNull(counted.lately_spend, 0), 12), toDecimal256(remaining_s, 0), 12), toDecimal256(lately_s, 0), 12), 12)
    ) AS forecast,
    if(held.amount = 0, NULL, toFloat64(forecast) / toFloat64(held.amount)) AS forecast_burn,
    multiIf(held.counted_from = 'nothing', 'unreadable', spend IS NULL, 'unknown', spend >= held.amount, 'exhausted', forecast > held.amount, 'at_risk', 'within') AS state,
    held.valid_from AS valid_from,
    held.who AS who,
    held.why AS why
FROM held
LEFT ANY JOIN counted ON counted.name = held.name
SETTINGS join_use_nulls = 1
COMMENT 'Budgets at a moment: spent, remaining, forecast for the end of the period, state; parameter at'
