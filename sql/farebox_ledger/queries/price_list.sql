-- Which prices hold at a moment, or began in a period before it? One row a key and context tier; prices in `currency` for
-- one unit, NULL where a unit is not sold or not known.
SELECT
    provider,
    model,
    variant,
    region,
    tier_above,
    currency,
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
    other_units,
    other_prices,
    hour_price AS hours,
    valid_from,
    approximate,
    price_id
FROM price_spans
WHERE valid_from <= {at:DateTime64(6, 'UTC')}
    AND valid_to >= toDateTime({at:DateTime64(6, 'UTC')}, 'UTC')
    AND valid_from >= {since:DateTime64(6, 'UTC')}
    AND ({provider:String} = '' OR provider = {provider:String})
    AND ({model:String} = '' OR position(model, {model:String}) > 0)
    AND ({exact:String} = '' OR model = {exact:String})
    AND (
        NOT {own:Bool}
        OR (provider, region, model, variant) IN
        (
            SELECT provider, region, model, variant
            FROM prices AS said
            WHERE book = 'user' AND said.valid_from <= {at:DateTime64(6, 'UTC')}
            GROUP BY provider, region, model, variant, unit, tier_above
            HAVING argMax(tuple(price), (said.valid_from, checked_on, added_at)).1 IS NOT NULL
        )
    )
ORDER BY provider, model, variant, region, tier_above
