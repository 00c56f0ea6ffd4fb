-- How much of each commitment is used? One row a commitment; amounts in its currency, after discounts; days begun. What has no
-- price is in no amount, but counted.
WITH
    promises AS
    (
        SELECT
            provider,
            name,
            argMax(starts, added_at) AS first_day,
            argMax(ends, added_at) AS end_day,
            argMax(tuple(amount), added_at).1 AS promised,
            argMax(currency, added_at) AS currency,
            argMax(note, added_at) AS note
        FROM commitments
        GROUP BY provider, name
        HAVING promised IS NOT NULL
    ),
    days AS
    (
        SELECT
            provider,
            currency,
            toDate(started_at, 'UTC') AS day,
            sum(if(currency = 'USD', net_cost, multiplyDecimal(charge, factor, 20))) AS paid,
            countIf(line = 1 AND price_state IN ('no_price', 'no_usage') AND currency = 'USD') AS unknown,
            countIf(line = 1 AND price_state = 'partial') AS cut
        FROM llm_charges
        WHERE provider IN (SELECT provider FROM promises)
            AND started_at >= (SELECT toDateTime64(min(first_day), 6, 'UTC') FROM promises)
        GROUP BY provider, currency, day
    )
SELECT
    promises.provider AS provider,
    name,
    first_day AS starts,
    end_day AS ends,
    promised AS amount,
    promises.currency AS currency,
    note,
    sumIf(paid, day >= first_day AND day < end_day) AS spent,
    sumIf(paid, day >= greatest(first_day, {pace_since:Date}) AND day < least(end_day, {today:Date})) AS spent_lately,
    sumIf(unknown, day >= first_day AND day < end_day) AS unpriced,
    sumIf(cut, day >= first_day AND day < end_day) AS partial
FROM promises
LEFT JOIN days ON days.provider = promises.provider AND days.currency = promises.currency
GROUP BY provider, name, starts, ends, amount, currency, note
ORDER BY provider, ends, name
