-- The price book laid out for looking up: a row for each key, context tier and stretch of time, a column for each unit.
-- A unit's price reaches forward in time and up in tiers until the next row of its own; a price of the user's book goes
-- before all others of its unit from its day on; then the fallbacks fill in.
CREATE VIEW IF NOT EXISTS price_spans
(
    provider String COMMENT 'Who bills',
    region String COMMENT 'Region; empty is the price without a region',
    model String COMMENT 'Canonical model name',
    variant String COMMENT 'Variant; empty is the standard price',
    tier_above UInt32 COMMENT 'Applies above this many tokens of total input',
    valid_from DateTime('UTC') COMMENT 'First second',
    valid_to DateTime('UTC') COMMENT 'Last second',
    tiers Array(UInt32) COMMENT 'All tiers of this key, ascending',
    never_changed UInt8 COMMENT '1 if this is the only stretch of time of its key and tier, and no hour of the day has another price',
    price_id String COMMENT 'The key in words, for people and for llm_attempts.price_id',
    unsplit_billed_as String COMMENT 'Unit whose price stands in for cache writes without a lifetime; empty if they have their own',
    approximate UInt8 COMMENT '1 if the source of any of its prices is not the provider''s own price page',
    currency String COMMENT 'What the provider bills in; USD if all prices are in USD',
    hour_price Nullable(Decimal(38, 12)) COMMENT 'For an hour of the machine, in currency; NULL if calls are paid for',
    instead String COMMENT 'How it is billed where that makes no USD a call, in words; empty if it does',
    uncached_input_tokens Nullable(Decimal(38, 12)) COMMENT 'For one unit, in currency; NULL if not sold or not known',
    cache_read_tokens Nullable(Decimal(38, 12)) COMMENT 'For one unit, in currency; NULL if not sold or not known',
    cache_write_5m_tokens Nullable(Decimal(38, 12)) COMMENT 'For one unit, in currency; NULL if not sold or not known',
    cache_write_1h_tokens Nullable(Decimal(38, 12)) COMMENT 'For one unit, in currency; NULL if not sold or not known',
    cache_write_unsplit_tokens Nullable(Decimal(38, 12)) COMMENT 'For one unit, in currency; NULL if not sold or not known',
    cache_write_30m_tokens Nullable(Decimal(38, 12)) COMMENT 'For one unit, in currency; NULL if not sold or not known',
    cache_write_12h_tokens Nullable(Decimal(38, 12)) COMMENT 'For one unit, in currency; NULL if not sold or not known',
    audio_input_tokens Nullable(Decimal(38, 12)) COMMENT 'For one unit, in currency; NULL if not sold or not known',
    image_input_tokens Nullable(Decimal(38, 12)) COMMENT 'For one unit, in currency; NULL if not sold or not known',
    output_tokens Nullable(Decimal(38, 12)) COMMENT 'For one unit, in currency; NULL if not sold or not known',
    audio_output_tokens Nullable(Decimal(38, 12)) COMMENT 'For one unit, in currency; NULL if not sold or not known',
    image_output_tokens Nullable(Decimal(38, 12)) COMMENT 'For one unit, in currency; NULL if not sold or not known',
    web_search_requests Nullable(Decimal(38, 12)) COMMENT 'For one unit, in currency; NULL if not sold or not known',
    web_fetch_requests Nullable(Decimal(38, 12)) COMMENT 'For one unit, in currency; NULL if not sold or not known',
    other_units Array(String) COMMENT 'Units without a column that have a price: seconds, characters, cached audio …',
    other_prices Array(Decimal(38, 12)) COMMENT 'Their prices for one unit, in currency, in the order of other_units',
    prices Array(Decimal(38, 12)) COMMENT 'The prices of the columns before, in their order, -1 for NULL'
)
AS
WITH
    -- What holds today for each unit, tier and date, and whether the user said it. The tuple keeps a NULL price, which
    -- argMax alone would skip.
    latest AS
    (
        SELECT
            provider,
            region,
            model,
            variant,
            unit,
            tier_above,
            valid_from,
            book = 'user' AS own,
            argMax((price, currency, approximate), (checked_on, added_at)) AS said
        FROM prices
        GROUP BY provider, region, model, variant, unit, tier_above, valid_from, own
    ),
    -- Every tier of a key on every date on which anything of the key changes.
    corners AS
    (
        SELECT provider, region, model, variant, tier_above, valid_from
        FROM (SELECT DISTINCT provider, region, model, variant, tier_above FROM latest) AS heights
        INNER JOIN (SELECT DISTINCT provider, region, model, variant, valid_from FROM latest) AS dates
            USING (provider, region, model, variant)
    ),
    -- At each corner, for each unit and each of its tiers below: the newest price, ours and the user's.
    reached AS
    (
        SELECT
            corners.provider AS provider,
            corners.region AS region,
            corners.model AS model,
            corners.variant AS variant,
            corners.tier_above AS tier_above,
            corners.valid_from AS valid_from,
            latest.unit AS unit,
            latest.tier_above AS own_tier,
            latest.own AS own,
            argMax(latest.said, latest.valid_from) AS said
        FROM corners
        INNER JOIN latest USING (provider, region, model, variant)
        WHERE latest.tier_above <= corners.tier_above AND latest.valid_from <= corners.valid_from
        GROUP BY provider, region, model, variant, tier_above, valid_from, unit, own_tier, own
    ),
    -- Of what is not withdrawn the user's, and of that the highest tier.
    filled AS
    (
        SELECT
            provider,
            region,
            model,
            variant,
            tier_above,
            valid_from,
            unit,
            argMaxIf(said, (own, own_tier), said.1 IS NOT NULL) AS found,
            found.1 AS price,
            found.2 AS currency,
            found.3 AS approximate
        FROM reached
        GROUP BY provider, region, model, variant, tier_above, valid_from, unit
    ),
    rules AS
    (
        SELECT provider, unit, argMax(billed_as, added_at) AS billed_as
        FROM price_fallbacks
        GROUP BY provider, unit
        HAVING billed_as != ''
    ),
    offered AS
    (
        SELECT provider, region, model, variant, tier_above, valid_from, unit, price, currency, approximate, '' AS billed_as
        FROM filled
        UNION ALL
        SELECT
            provider,
            region,
            model,
            variant,
            tier_above,
            valid_from,
            rules.unit AS unit,
            price,
            currency,
            approximate,
            rules.billed_as AS billed_as
        FROM filled
        INNER JOIN rules ON rules.provider = filled.provider AND rules.billed_as = filled.unit
    ),
    -- argMax skips NULL prices, so a unit's own price goes before the one that stands in, if there is one.
    wide AS
    (
        SELECT
            provider,
            region,
            model,
            variant,
            tier_above,
            valid_from,
            ifNull(argMaxIf(billed_as, billed_as = '', unit = 'cache_write_unsplit_tokens' AND price IS NOT NULL), '') AS unsplit_billed_as,
            maxIf(approximate, price IS NOT NULL) AS approximate,
            if(countIf(price IS NOT NULL AND currency != 'USD') = 0, 'USD', maxIf(currency, price IS NOT NULL AND currency != 'USD')) AS currency,
            argMaxIf(price, billed_as = '', unit = 'hours') AS hour_price,
            arraySort(
                groupArrayIf((toString(unit), assumeNotNull(price)), price IS NOT NULL AND billed_as = '' AND unit IN (
                    'cache_read_audio_tokens',
                    'cache_read_image_tokens',
                    'audio_input_seconds',
                    'input_characters',
                    'images'
                ))
            ) AS others,
            argMaxIf(price, billed_as = '', unit = 'uncached_input_tokens') AS uncached_input_tokens,
            argMaxIf(price, billed_as = '', unit = 'cache_read_tokens') AS cache_read_tokens,
            argMaxIf(price, billed_as = '', unit = 'cache_write_5m_tokens') AS cache_write_5m_tokens,
            argMaxIf(price, billed_as = '', unit = 'cache_write_1h_tokens') AS cache_write_1h_tokens,
            argMaxIf(price, billed_as = '', unit = 'cache_write_unsplit_tokens') AS cache_write_unsplit_tokens,
            argMaxIf(price, billed_as = '', unit = 'cache_write_30m_tokens') AS cache_write_30m_tokens,
            argMaxIf(price, billed_as = '', unit = 'cache_write_12h_tokens') AS cache_write_12h_tokens,
            argMaxIf(price, billed_as = '', unit = 'audio_input_tokens') AS audio_input_tokens,
            argMaxIf(price, billed_as = '', unit = 'image_input_tokens') AS image_input_tokens,
            argMaxIf(price, billed_as = '', unit = 'output_tokens') AS output_tokens,
            argMaxIf(price, billed_as = '', unit = 'audio_output_tokens') AS audio_output_tokens,
            argMaxIf(price, billed_as = '', unit = 'image_output_tokens') AS image_output_tokens,
            argMaxIf(price, billed_as = '', unit = 'web_search_requests') AS web_search_requests,
            argMaxIf(price, billed_as = '', unit = 'web_fetch_requests') AS web_fetch_requests
        FROM offered
        GROUP BY provider, region, model, variant, tier_above, valid_from
    )
SELECT
    provider,
    region,
    model,
    variant,
    tier_above,
    valid_from,
    leadInFrame(valid_from - 1, 1, toDateTime('2106-02-07 06:28:15', 'UTC')) OVER
    (
        PARTITION BY provider, region, model, variant, tier_above
        ORDER BY valid_from
        ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
    ) AS valid_to,
    arraySort(groupUniqArray(tier_above) OVER (PARTITION BY provider, region, model, variant)) AS tiers,
    count() OVER (PARTITION BY provider, region, model, variant, tier_above) = 1
        AND max(variant = 'peak') OVER (PARTITION BY provider, region, model) = 0 AS never_changed,
    concat(
        provider,
        '/',
        model,
        if(variant = '', '', concat(' ', variant)),
        if(region = '', '', concat(' in ', region)),
        if(tier_above = 0, '', concat(' above ', toString(tier_above))),
        if(valid_from = 0, '', concat(' from ', formatDateTime(valid_from, '%F')))
    ) AS price_id,
    unsplit_billed_as,
    approximate,
    currency,
    hour_price,
    multiIf(
        hour_price IS NOT NULL AND output_tokens IS NULL AND uncached_input_tokens IS NULL,
        concat('paid by the hour, ', toString(hour_price), ' ', currency, ', not by the call'),
        currency != 'USD', concat('billed in ', currency, ', not in USD'),
        ''
    ) AS instead,
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
    web_fetch_requests,
    arrayMap(other -> other.1, others) AS other_units,
    arrayMap(other -> other.2, others) AS other_prices,
    [
        ifNull(uncached_input_tokens, -1),
        ifNull(cache_read_tokens, -1),
        ifNull(cache_write_5m_tokens, -1),
        ifNull(cache_write_1h_tokens, -1),
        ifNull(cache_write_unsplit_tokens, -1),
        ifNull(cache_write_30m_tokens, -1),
        ifNull(cache_write_12h_tokens, -1),
        ifNull(audio_input_tokens, -1),
        ifNull(image_input_tokens, -1),
        ifNull(output_tokens, -1),
        ifNull(audio_output_tokens, -1),
        ifNull(image_output_tokens, -1),
        ifNull(web_search_requests, -1),
        ifNull(web_fetch_requests, -1)
    ] AS prices
FROM wide
COMMENT 'The price book laid out for looking up: one row a key, context tier and stretch of time, one column a unit'
