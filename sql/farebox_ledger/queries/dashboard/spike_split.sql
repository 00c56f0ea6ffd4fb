-- Why did spend change against what is usual, the same hours of the seven days before? USD: the change, split exactly. One
-- factor after the other takes its value of the range, in this order: volume (calls), model mix (each model's share of the
-- calls), tokens (and requests of tools) a billed attempt, cache (how input divides into uncached, read and written), price
-- (USD for a token of each class), retries (billed attempts a call). What rounding leaves is in the last part, so that parts
-- add up to the change to the last digit. A factor that one side lacks is taken from the other side; a model that usually has
-- no calls comes in whole with the mix. What is not priced is in no part: its attempts are counted apart. NULL: no money is
-- known, now or before.
SELECT
    line.1 AS `part`,
    if(known, toFloat64(line.2), NULL) AS `change`,
    if(known AND changed != 0, toFloat64(line.2) / toFloat64(changed), NULL) AS `share`,
    line.3 AS `usual`,
    line.4 AS `now`,
    if(line.1 = 'in all', now_doubts, NULL) AS `not fully priced`,
    if(known, ifNull(toString(line.2), ''), '') AS `change, exact`
FROM
(
    WITH
        roundBankers(after_volume - divideDecimal(usual_spend, toDecimal256(stretches, 0), 30), 12) AS of_volume,
        roundBankers(after_mix - after_volume, 12) AS of_mix,
        roundBankers(after_tokens - after_mix, 12) AS of_tokens,
        roundBankers(after_cache - after_tokens, 12) AS of_cache,
        roundBankers(after_price - after_cache, 12) AS of_price,
        (number, digits) -> if(isFinite(number), toString(round(number, digits)), '–') AS shown
    SELECT
        known,
        now_doubts,
        now_spend - roundBankers(divideDecimal(usual_spend, toDecimal256(stretches, 0), 30), 12) AS changed,
        arrayJoin([
            ('volume', toNullable(of_volume), concat(shown(usual_calls / stretches, 1), ' calls'), concat(shown(now_calls, 0), ' calls')),
            ('model mix', of_mix, concat('most on ', usual_model), concat('most on ', now_model)),
            (
                'tokens a call',
                of_tokens,
                concat(shown(usual_tokens / usual_billed, 0), ' tokens an attempt'),
                concat(shown(now_tokens / now_billed, 0), ' tokens an attempt')
            ),
            (
                'cache',
                of_cache,
                concat(shown(100 * usual_read / usual_input, 1), ' % of input read from it'),
                concat(shown(100 * now_read / now_input, 1), ' % of input read from it')
            ),
            (
                'price',
                of_price,
                'usual prices',
                concat(shown(100 * toFloat64(after_price) / toFloat64(after_cache), 1), ' % of them for these tokens')
            ),
            (
                'retries',
                changed - of_volume - of_mix - of_tokens - of_cache - of_price,
                concat(shown(usual_billed / usual_calls, 3), ' billed attempts a call'),
                concat(shown(now_billed / now_calls, 3), ' billed attempts a call')
            ),
            (
                'in all',
                changed,
                concat(shown(toFloat64(usual_spend) / stretches, 4), ' USD'),
                concat(shown(toFloat64(now_spend), 4), ' USD')
            ),
            (
                'apart: not fully priced',
                NULL,
                concat(shown(usual_doubts / stretches, 1), ' attempts'),
                concat(shown(now_doubts, 0), ' attempts')
            )
        ]) AS line
    FROM
    (
        WITH
            -- An amount times counts, divided by counts, cut off at thirty digits.
            (amount, counts, divisor) -> divideDecimal(
                multiplyDecimal(toDecimal256(amount, 12), toDecimal256(counts, 0), 12), toDecimal256(greatest(divisor, 1), 0), 30
            ) AS times,
            -- What a class of units costs with calls, and units an attempt, of now; all else as usual. USD a unit are of now
            -- where usually there are no such units.
            (usual_cost, now_cost, usual_units, now_units) -> multiIf(
                now_units = 0, toDecimal256(0, 30),
                usual_units = 0, times(now_cost, toInt256(now.calls) * usual.billed, toInt256(usual.calls) * now.billed),
                times(
                    usual_cost,
                    toInt256(now.calls) * usual.billed * now_units,
                    toInt256(usual.calls) * now.billed * usual_units
                )
            ) AS priced_as_usual,
            times(usual.spend, now.calls, usual.calls) AS all_as_usual,
            times(now.spend, toInt256(now.calls) * usual.billed, toInt256(usual.calls) * now.billed) AS but_retries,
            usual.calls = 0 AS is_new,
            now.billed = 0 AS not_billed
        SELECT
            greatest(max(farthest), 1) AS stretches,
            sum(now.known) + sum(usual.known) > 0 AS known,
            sum(now.spend) AS now_spend,
            sum(usual.spend) AS usual_spend,
            if(sum(usual.calls) = 0, toDecimal256(now_spend, 30), times(usual_spend, sum(now.calls), sum(usual.calls))) AS after_volume,
            sum(if(is_new, toDecimal256(now.spend, 30), all_as_usual)) AS after_mix,
            sum(multiIf(
                is_new, toDecimal256(now.spend, 30),
                not_billed, all_as_usual,
                priced_as_usual(usual.cost_in, now.cost_in, usual.units_in, now.units_in)
                    + priced_as_usual(usual.cost_output, now.cost_output, usual.output, now.output)
                    + times(now.cost_tools, toInt256(now.calls) * usual.billed, toInt256(usual.calls) * now.billed)
            )) AS after_tokens,
            sum(multiIf(
                is_new, toDecimal256(now.spend, 30),
                not_billed, all_as_usual,
                priced_as_usual(usual.cost_uncached, now.cost_uncached, usual.uncached, now.uncached)
                    + priced_as_usual(usual.cost_read, now.cost_read, usual.read, now.read)
                    + priced_as_usual(usual.cost_written, now.cost_written, usual.written, now.written)
                    + priced_as_usual(usual.cost_output, now.cost_output, usual.output, now.output)
                    + times(now.cost_tools, toInt256(now.calls) * usual.billed, toInt256(usual.calls) * now.billed)
            )) AS after_cache,
            sum(multiIf(is_new, toDecimal256(now.spend, 30), not_billed, all_as_usual, but_retries)) AS after_price,
            sum(now.doubts) AS now_doubts,
            sum(usual.doubts) AS usual_doubts,
            sum(now.calls) AS now_calls,
            sum(usual.calls) AS usual_calls,
            sum(now.billed) AS now_billed,
            sum(usual.billed) AS usual_billed,
            sum(now.units_in) AS now_input,
            sum(usual.units_in) AS usual_input,
            sum(now.read) AS now_read,
            sum(usual.read) AS usual_read,
            now_input + sum(now.output) AS now_tokens,
            usual_input + sum(usual.output) AS usual_tokens,
            argMax(model, now.calls) AS now_model,
            argMax(model, usual.calls) AS usual_model
        FROM
        (
            SELECT
                provider,
                model,
                max(each.farthest) AS farthest,
                anyIf(each.sums, each.is_usual) AS usual,
                anyIf(each.sums, NOT each.is_usual) AS now
            FROM
            (
                SELECT
                    provider,
                    model,
                    stretch > 0 AS is_usual,
                    max(stretch) AS farthest,
                    CAST(
                        (
                            sum(calls),
                            sum(billed),
                            count(spend),
                            sum(doubts),
                            ifNull(sum(spend), 0),
                            ifNull(sum(cost_uncached + cost_read + cost_written), 0),
                            ifNull(sum(cost_uncached), 0),
                            ifNull(sum(cost_read), 0),
                            ifNull(sum(cost_written), 0),
                            ifNull(sum(cost_output), 0),
                            ifNull(sum(cost_tools), 0),
                            greatest(sum(units_in), sum(units_read + units_written)),
                            greatest(sum(units_in), sum(units_read + units_written)) - sum(units_read + units_written),
                            sum(units_read),
                            sum(units_written),
                            sum(units_output)
                        ),
                        'Tuple(calls UInt64, billed UInt64, known UInt64, doubts UInt64, spend Decimal(38, 12), cost_in Decimal(38, 12),
                        cost_uncached Decimal(38, 12), cost_read Decimal(38, 12), cost_written Decimal(38, 12), cost_output Decimal(38, 12),
                        cost_tools Decimal(38, 12), units_in UInt64, uncached UInt64, read UInt64, written UInt64, output UInt64)'
                    ) AS sums
                FROM @stretches()
                GROUP BY provider, model, is_usual
            ) AS each
            GROUP BY provider, model
        )
    )
)
