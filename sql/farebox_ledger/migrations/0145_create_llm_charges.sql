-- What each attempt is charged for, unit by unit: exactly list_cost, taken apart. Prices are those of the book where they still
-- add up to what is stored; where the book has changed since, a component that counts one unit tells its price itself, and one
-- that counts several stays whole, under the component's own name.
CREATE VIEW IF NOT EXISTS llm_charges
(
    started_at DateTime64(6, 'UTC') COMMENT 'When the attempt began',
    trace_id FixedString(16) COMMENT 'Trace id of the attempt',
    span_id FixedString(8) COMMENT 'Span id of the attempt',
    line UInt8 COMMENT '1 for the first row of an attempt, then 2, 3 …: attempts are counted where line = 1',
    kind LowCardinality(String) COMMENT 'attempt, iteration, batch_result or background_result',
    service LowCardinality(String) COMMENT 'service.name of the client',
    environment LowCardinality(String) COMMENT 'deployment.environment.name of the client; empty: it did not say',
    route LowCardinality(String) COMMENT 'Tag route',
    tenant LowCardinality(String) COMMENT 'Tag tenant; empty: none set',
    user_id String COMMENT 'Tag user, or its hash; empty: none set',
    task String COMMENT 'Tag task; empty: the call is a task of its own',
    prompt_version LowCardinality(String) COMMENT 'Tag prompt_version; empty: none set',
    provider LowCardinality(String) COMMENT 'Who bills',
    model LowCardinality(String) COMMENT 'Canonical model',
    tier LowCardinality(String) COMMENT 'Variant of the price: batch, a speed or a service tier, as the price book names it; empty: standard',
    region LowCardinality(String) COMMENT 'Region or geography that served it; empty: not known',
    organization LowCardinality(String) COMMENT 'Organization at the provider; empty: not known',
    workspace LowCardinality(String) COMMENT 'Workspace at the provider; empty: not known',
    project LowCardinality(String) COMMENT 'Project at the provider; empty: not known',
    key_fingerprint LowCardinality(String) COMMENT 'Keyed one-way hash of the API key; empty: none was sent',
    usage_state LowCardinality(String) COMMENT 'reported, partial, missing or none',
    price_state LowCardinality(String) COMMENT 'priced, no_price, no_usage, partial (a lower bound) or free',
    price_reason LowCardinality(String) COMMENT 'Why it is not priced, or what was assumed; empty: nothing to say',
    price_id LowCardinality(String) COMMENT 'The row of price_spans it was priced with; empty: none was found or needed',
    price_book_version DateTime64(6, 'UTC') COMMENT 'added_at of the newest row of the book that priced it',
    unit LowCardinality(String) COMMENT 'Usage leaf, or component that stays whole; empty: nothing was counted',
    quantity Nullable(UInt64) COMMENT 'Units; NULL: nothing was counted',
    currency LowCardinality(String) COMMENT 'Currency of list_unit_price and charge',
    list_unit_price Nullable(Decimal(38, 12)) COMMENT 'For one unit, in currency; NULL: not known, or several prices in one',
    charge Nullable(Decimal(38, 12)) COMMENT 'quantity × list_unit_price, in currency; NULL: not known',
    list_cost Nullable(Decimal(38, 12)) COMMENT 'The same in USD: adds up to list_cost of the attempt; NULL: not known, or in another currency',
    factor Decimal(18, 8) COMMENT 'Share of the list price that is paid; 1 without a discount',
    net_cost Nullable(Decimal(76, 20)) COMMENT 'USD after the discount, the exact product; NULL as list_cost'
)
AS
WITH
    ['input_tokens', 'cache_read_tokens', 'cache_write_tokens', 'all_output_tokens', 'tools'] AS wholes,
    told AS
    (
        SELECT
            attempts.started_at AS started_at,
            attempts.trace_id AS trace_id,
            attempts.span_id AS span_id,
            attempts.kind AS kind,
            attempts.service AS service,
            attempts.environment AS environment,
            attempts.route AS route,
            attempts.tenant AS tenant,
            attempts.user_id AS user_id,
            attempts.task AS task,
            attempts.prompt_version AS prompt_version,
            attempts.provider AS provider,
            attempts.model AS model,
            lower(multiIf(kind = 'batch_result', 'batch', speed NOT IN ('', 'standard'), speed, service_tier)) AS tier_name,
            attempts.region AS region,
            attempts.organization AS organization,
            attempts.workspace AS workspace,
            attempts.project AS project,
            attempts.key_fingerprint AS key_fingerprint,
            attempts.usage_state AS usage_state,
            attempts.price_state AS price_state,
            attempts.price_reason AS price_reason,
            attempts.price_id AS price_id,
            attempts.price_book_version AS price_book_version,
            attempts.list_cost AS list_cost,
            price_state IN ('priced', 'partial') AS known,
            if(spans.currency = '', 'USD', toString(spans.currency)) AS currency,
            [cost_input, cost_cache_read, cost_cache_write, cost_output, cost_tools] AS components,
            arrayConcat(
                ['uncached_input_tokens', 'cache_read_tokens', 'cache_write_5m_tokens', 'cache_write_1h_tokens', 'cache_write_unsplit_tokens',
                 'cache_write_30m_tokens', 'cache_write_12h_tokens', 'audio_input_tokens', 'image_input_tokens', 'output_tokens',
                 'audio_output_tokens', 'image_output_tokens', 'web_search_requests', 'web_fetch_requests'],
                arrayMap(unit -> toString(unit), mapKeys(other_units))
            ) AS units,
            arrayConcat(
                [uncached_input_tokens, cache_read_tokens, cache_write_5m_tokens, cache_write_1h_tokens, cache_write_unsplit_tokens,
                 cache_write_30m_tokens, cache_write_12h_tokens, audio_input_tokens, image_input_tokens, output_tokens,
                 audio_output_tokens, image_output_tokens, web_search_requests, web_fetch_requests],
                arrayMap(text -> toUInt32OrNull(text), mapValues(other_units))
            ) AS counts,
            arrayConcat(
                arrayResize(spans.prices, 14, toDecimal128(-1, 12)),
                arrayMap(
                    unit -> arrayPushFront(spans.other_prices, toDecimal128(-1, 12))[indexOf(spans.other_units, unit) + 1],
                    mapKeys(other_units)
                )
            ) AS prices
        FROM llm_attempts AS attempts
        LEFT ANY JOIN
        (
            SELECT price_id, currency, prices, other_units, other_prices
            FROM price_spans
        ) AS spans ON spans.price_id = attempts.price_id
    ),
    -- What was counted: unit, count, price in the book as it is, number of its component.
    counted AS
    (
        SELECT
            * EXCEPT (units, counts, prices),
            arrayFilter(
                each -> each.2 > 0,
                arrayMap(
                    (unit, count, price) -> (
                        unit,
                        toUInt64(ifNull(count, 0)),
                        price,
                        multiIf(
                            startsWith(unit, 'cache_read_'), 2,
                            startsWith(unit, 'cache_write_'), 3,
                            unit IN ('output_tokens', 'audio_output_tokens', 'image_output_tokens', 'images'), 4,
                            endsWith(unit, '_requests'), 5,
                            1
                        )
                    ),
                    units,
                    counts,
                    prices
                )
            ) AS parts,
            arrayAll(
                (amount, number) -> amount = arraySum(each -> if(each.4 = number, each.2 * each.3, toDecimal128(0, 12)), parts),
                components,
                [1, 2, 3, 4, 5]
            ) AS adds_up
        FROM told
    ),
    -- Where the book does not add up to what is stored any more: one row a component.
    laid_out AS
    (
        SELECT
            *,
            multiIf(
                price_state IN ('free', 'no_usage') OR empty(parts),
                [('', CAST(NULL AS Nullable(UInt64)), CAST(NULL AS Nullable(Decimal(38, 12))), if(known OR price_state = 'free', list_cost, NULL))],
                NOT known,
                arrayMap(
                    each -> (
                        each.1,
                        CAST(each.2 AS Nullable(UInt64)),
                        CAST(if(each.3 < 0, NULL, each.3) AS Nullable(Decimal(38, 12))),
                        CAST(if(each.3 < 0, NULL, each.2 * each.3) AS Nullable(Decimal(38, 12)))
                    ),
                    parts
                ),
                adds_up,
                arrayMap(
                    each -> (
                        each.1,
                        CAST(each.2 AS Nullable(UInt64)),
                        CAST(if(each.3 < 0, NULL, each.3) AS Nullable(Decimal(38, 12))),
                        CAST(each.2 * each.3 AS Nullable(Decimal(38, 12)))
                    ),
                    parts
                ),
                arrayMap(
                    number -> (
                        if(countEqual(parts.4, number) = 1, parts.1[indexOf(parts.4, number)], wholes[number]),
                        CAST(arraySum(each -> if(each.4 = number, each.2, 0), parts) AS Nullable(UInt64)),
                        CAST(
                            if(
                                countEqual(parts.4, number) = 1,
                                divideDecimal(assumeNotNull(components[number]), toDecimal128(greatest(parts.2[indexOf(parts.4, number)], 1), 0), 12),
                                NULL
                            ) AS Nullable(Decimal(38, 12))
                        ),
                        components[number]
                    ),
                    arrayDistinct(parts.4)
                )
            ) AS charges
        FROM counted
    )
SELECT
    started_at,
    trace_id,
    span_id,
    line,
    kind,
    service,
    environment,
    route,
    tenant,
    user_id,
    task,
    prompt_version,
    provider,
    model,
    coalesce(
        dictGetOrNull('price_name', 'value', (provider, 'variant', tier_name)),
        dictGetOrNull('price_name', 'value', ('', 'variant', tier_name)),
        tier_name
    ) AS tier,
    region,
    organization,
    workspace,
    project,
    key_fingerprint,
    usage_state,
    price_state,
    price_reason,
    price_id,
    price_book_version,
    each.1 AS unit,
    each.2 AS quantity,
    currency,
    each.3 AS list_unit_price,
    each.4 AS charge,
    if(known OR price_state = 'free', each.4, NULL) AS list_cost,
    coalesce(
        dictGetOrNull('discount', 'factor', (provider, model), toDateTime(started_at, 'UTC')),
        dictGetOrNull('discount', 'factor', (provider, ''), toDateTime(started_at, 'UTC')),
        toDecimal64(1, 8)
    ) AS factor,
    multiplyDecimal(list_cost, factor, 20) AS net_cost
FROM laid_out
ARRAY JOIN
    charges AS each,
    arrayEnumerate(charges) AS line
COMMENT 'What each attempt is charged for, one row a unit: quantities, prices, list cost and what is paid of it'
