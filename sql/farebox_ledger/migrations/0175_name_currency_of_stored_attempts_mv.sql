-- The one place where money is computed, with the same figures as before for less: a name is looked up only until it is
-- found, and planning, which each insert pays, leaves out what looks for constants in chains of AND and took half of it.
-- Where a region has no price because it bills in another currency, the reason names that. Names lead to a key of the
-- price book, the key to prices, and each usage leaf is multiplied by its price: exact products of Decimal(38, 12), no
-- division, no float. What is not known stays NULL.
-- Every step is a query of its own: ClickHouse would work an alias out again wherever it is used.
ALTER TABLE stored_attempts_mv MODIFY QUERY
WITH
    -- 1. The name on the wire: of the model that answered; the one asked for only where the answer names none, since what
    -- answered under an unknown name may cost something else. As it is, and without the prefix that some providers set
    -- before it (accounts/…/models/, an ARN). A profile that Bedrock serves from anywhere has a price of its own, and so
    -- tells the region.
    named AS
    (
        SELECT
            *,
            lower(if(response_model = '', request_model, response_model)) AS said_model,
            dictGet('price_rule', 'suffixes', toUInt64(0)) AS suffixes,
            replaceRegexpOne(concat(provider, ' ', said_model), dictGet('price_rule', 'prefixes', toUInt64(0)), '') AS bare_model,
            lower(multiIf(kind = 'batch_result', 'batch', speed NOT IN ('', 'standard'), speed, service_tier)) AS tier_name,
            if(provider = 'bedrock' AND match(request_model, '(^|/)global[.]'), 'global', lower(region)) AS region_name,
            lower(server_address) AS host,
            if(clock_impossible, toDateTime('2099-12-31 23:59:59', 'UTC'), toDateTime(started_at, 'UTC')) AS priced_at,
            [
                uncached_input_tokens,
                cache_read_tokens,
                cache_write_5m_tokens,
                cache_write_1h_tokens,
                cache_write_unsplit_tokens,
                cache_write_30m_tokens,
                cache_write_12h_tokens,
                audio_input_tokens,
                image_input_tokens,
                output_tokens,
                audio_output_tokens,
                image_output_tokens,
                web_search_requests,
                web_fetch_requests
            ] AS usage,
            -- Counts that have no column of their own: cached audio and images are input too.
            mapKeys(other_units) AS others,
            arrayMap(text -> if(length(text) <= 10 AND toUInt64OrNull(text) <= 1000000000, toUInt32OrNull(text), NULL), mapValues(other_units)) AS other_counts
        FROM attempts_unpriced
    ),
    -- 2. The key of the price book: first by the whole name, then without its suffix (a date). Where no region is named the
    -- address may tell it. Without a believable time the latest price is looked up; it holds if there never was another.
    keyed AS
    (
        SELECT
            * EXCEPT (suffixes, tier_name, region_name, host),
            dictGetOrDefault(
                'price_name',
                'value',
                (provider, 'model', said_model),
                dictGetOrDefault(
                    'price_name',
                    'value',
                    (provider, 'model', bare_model),
                    dictGetOrDefault(
                        'price_name',
                        'value',
                        (provider, 'model', replaceRegexpOne(concat(said_model, ' ', provider), suffixes, '')),
                        dictGet('price_name', 'value', (provider, 'model', replaceRegexpOne(concat(bare_model, ' ', provider), suffixes, '')))
                    )
                )
            ) AS price_model,
            if(
                tier_name = '',
                '',
                dictGetOrDefault(
                    'price_name',
                    'value',
                    (provider, 'variant', tier_name),
                    dictGetOrDefault('price_name', 'value', ('', 'variant', tier_name), tier_name)
                )
            ) AS tier_variant,
            if(
                region_name = '',
                dictGet('price_name', 'value', (provider, 'host', host)),
                dictGetOrDefault(
                    'price_name',
                    'value',
                    (provider, 'region', region_name),
                    dictGetOrDefault('price_name', 'value', (provider, 'region', '*'), region_name)
                )
            ) AS price_region,
            arrayMap(count -> ifNull(count, 0), usage) AS counts
        FROM named
    ),
    -- 3. The variant: of the tier, else of the half hour of the day. And the context tier: the highest that the total
    -- input, caches included, is above.
    tiered AS
    (
        SELECT
            *,
            if(
                tier_variant = '',
                dictGet(
                    'price_name',
                    'value',
                    (provider, 'hour', concat(price_model, ' ', formatDateTime(toStartOfInterval(priced_at, INTERVAL 30 MINUTE), '%R')))
                ),
                tier_variant
            ) AS price_variant,
            arraySum(arraySlice(counts, 1, 9))
                + arraySum((unit, count) -> if(startsWith(unit, 'cache_read_'), ifNull(count, 0), 0), others, other_counts) AS input_total,
            arrayMax(
                tier -> if(tier < input_total, tier, 0),
                dictGetOrDefault('price', 'tiers', (provider, price_region, price_model, price_variant, toUInt32(0)), priced_at, [toUInt32(0)])
            ) AS tier_above
        FROM keyed
    ),
    -- 4. The prices, in the order of usage; -1 where there is none.
    looked_up AS
    (
        SELECT
            *,
            dictGet(
                'price',
                ('price_id', 'never_changed', 'unsplit_billed_as', 'instead', 'other_units', 'other_prices', 'prices'),
                (provider, price_region, price_model, price_variant, toUInt32(tier_above)),
                priced_at
            ) AS price,
            arrayMap(unit -> arrayPushFront(price.other_prices, toDecimal128(-1, 12))[indexOf(price.other_units, unit) + 1], others) AS other_prices
        FROM tiered
    ),
    -- 5. The charges: exact products, in the order of usage; below zero where something was counted that has no price.
    charged AS
    (
        SELECT
            *,
            arrayMap((count, each) -> count * each, counts, arrayResize(price.prices, 14, toDecimal128(-1, 12))) AS charges,
            arrayMap((count, each) -> ifNull(count, 0) * each, other_counts, other_prices) AS other_charges,
            -- 6. What is not known, and why.
            multiIf(
                contradiction != '', contradiction,
                notEmpty(unreadable), concat('unreadable count of ', arrayStringConcat(unreadable, ', ')),
                has(other_counts, NULL), concat(
                    'unreadable count of ',
                    arrayStringConcat(arrayFilter((unit, count) -> count IS NULL, others, other_counts), ', ')
                ),
                usage_state = 'none' AND arraySum(counts) = 0, '',
                usage_state = 'missing' OR (usage_state = 'partial' AND arrayAll(count -> count IS NULL, usage)), concat('no usage came: ', outcome),
                usage_state NOT IN ('reported', 'partial'), concat('usage state is "', usage_state, '"'),
                usage_state = 'reported' AND usage[1] IS NULL, 'uncached_input_tokens not reported',
                usage_state = 'reported' AND usage[10] IS NULL AND operation != 'embeddings', 'output_tokens not reported',
                ''
            ) AS usage_doubt,
            if(price_model = '', said_model, price_model) AS model
        FROM looked_up
    ),
    -- 7. What is said of it.
    judged AS
    (
        SELECT
            *,
            multiIf(
                price_model = '', concat('no price for model ', if(model = '', '(not named)', model), ' of ', provider),
                price.price_id = '', concat(
                    'no price at the time of the call for ',
                    model,
                    ' of ',
                    provider,
                    if(price_variant = '', '', concat(', ', price_variant)),
                    if(price_region = '', '', concat(', in ', price_region)),
                    if(
                        dictHas('price_name', (provider, 'currency', price_region)),
                        concat(', billed in ', dictGet('price_name', 'value', (provider, 'currency', price_region)), ', not in USD'),
                        ''
                    )
                ),
                price.instead != '', price.instead,
                clock_impossible AND NOT price.never_changed, concat('impossible clock, and the price changed of ', model),
                arrayExists(each -> each < 0, other_prices),
                    concat('no price for ', arrayStringConcat(arrayFilter((unit, each) -> each < 0, others, other_prices), ', ')),
                arrayExists(charge -> charge < 0, charges), concat(
                    'no price for ',
                    arrayStringConcat(
                        arrayFilter(
                            (unit, charge) -> charge < 0,
                            [
                                'uncached_input_tokens',
                                'cache_read_tokens',
                                'cache_write_5m_tokens',
                                'cache_write_1h_tokens',
                                'cache_write_unsplit_tokens',
                                'cache_write_30m_tokens',
                                'cache_write_12h_tokens',
                                'audio_input_tokens',
                                'image_input_tokens',
                                'output_tokens',
                                'audio_output_tokens',
                                'image_output_tokens',
                                'web_search_requests',
                                'web_fetch_requests'
                            ],
                            charges
                        ),
                        ', '
                    )
                ),
                ''
            ) AS price_doubt,
            multiIf(
                operation = 'count_tokens' AND contradiction = '' AND empty(unreadable), 'free',
                usage_state = 'none' AND usage_doubt = '', 'free',
                usage_doubt != '', 'no_usage',
                price_doubt != '', 'no_price',
                usage_state = 'partial', 'partial',
                'priced'
            ) AS state,
            -- What is free costs nothing of its price; what is not known has no cost.
            transform(state, ['priced', 'partial', 'free'], [1, 1, 0], NULL) AS known
        FROM charged
    )
SELECT
    started_at,
    now64(6, 'UTC') AS received_at,
    clock_impossible,
    duration_ms,
    ttft_ms,
    trace_id,
    span_id,
    parent_span_id,
    kind,
    call_id,
    attempt,
    instance,
    seq,
    service,
    environment,
    route,
    tenant,
    user_id,
    task,
    prompt_version,
    tags,
    provider,
    server_address,
    operation,
    request_model,
    response_model,
    response_id,
    request_id,
    model,
    service_tier,
    speed,
    region,
    organization,
    workspace,
    project,
    key_fingerprint,
    language,
    script,
    uncached_input_tokens,
    cache_read_tokens,
    cache_write_5m_tokens,
    cache_write_1h_tokens,
    cache_write_unsplit_tokens,
    cache_write_30m_tokens,
    cache_write_12h_tokens,
    audio_input_tokens,
    image_input_tokens,
    output_tokens,
    reasoning_tokens,
    audio_output_tokens,
    image_output_tokens,
    web_search_requests,
    web_fetch_requests,
    estimated_output_tokens,
    usage_state,
    outcome,
    http_status,
    error_type,
    stop_reason,
    flags,
    checked,
    refusal_kind,
    unsupported_citations,
    tool_calls,
    tool_calls_malformed,
    tool_names,
    malformed_tools,
    prefix_hashes,
    prefix_bytes,
    request_characters,
    response_characters,
    (arraySum(charges) + arraySum(other_charges)) * known AS list_cost,
    (
        charges[1] + charges[8] + charges[9]
            + arraySum((unit, charge) -> if(unit IN ('audio_input_seconds', 'input_characters'), charge, 0), others, other_charges)
    ) * known AS cost_input,
    (charges[2] + arraySum((unit, charge) -> if(startsWith(unit, 'cache_read_'), charge, 0), others, other_charges)) * known AS cost_cache_read,
    (charges[3] + charges[4] + charges[5] + charges[6] + charges[7]) * known AS cost_cache_write,
    (
        charges[10] + charges[11] + charges[12]
            + arraySum((unit, charge) -> if(unit = 'images', charge, 0), others, other_charges)
    ) * known AS cost_output,
    (charges[13] + charges[14]) * known AS cost_tools,
    if(known = 1 OR (state = 'no_price' AND price.instead != '' AND price_doubt = price.instead), price.price_id, '') AS price_id,
    dictGet('price_rule', 'book_version', toUInt64(0)) AS price_book_version,
    state AS price_state,
    multiIf(
        state = 'free', '',
        state = 'no_usage', usage_doubt,
        state = 'no_price', price_doubt,
        state = 'partial', concat('lower bound, the response was cut: ', outcome),
        counts[5] > 0 AND price.unsplit_billed_as != '', concat('cache_write_unsplit_tokens billed as ', price.unsplit_billed_as),
        provider = 'bedrock' AND position(request_model, ':application-inference-profile/') > 0,
            'the profile does not tell whether it is global; priced as that of a region',
        ''
    ) AS price_reason,
    reported_cost,
    other_units,
    unreadable,
    contradiction,
    content,
    bitAnd(bitNot(generateSnowflakeID()), 9223372036854775807) AS version
FROM judged
SETTINGS optimize_and_compare_chain = 0
