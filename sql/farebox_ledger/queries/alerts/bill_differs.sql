-- Where do bills and ledger differ? By provider and currency, the amount by which days of the last 35 differ that were held
-- against a bill and did not match, added up whatever their sign; amounts in that currency. `difference` is billed minus
-- recorded, `days` how many differ, `share` the part that it is of what was billed for all days checked.
SELECT
    provider,
    currency,
    sumIf(abs(ifNull(toFloat64(difference), 0)), state IN ('under_recorded', 'over_recorded')) AS value,
    sumIf(ifNull(toFloat64(difference), 0), state IN ('under_recorded', 'over_recorded')) AS difference_sum,
    countIf(state IN ('under_recorded', 'over_recorded')) AS days,
    if(sum(ifNull(toFloat64(billed), 0)) = 0, 1, value / sum(ifNull(toFloat64(billed), 0))) AS share
FROM bill_days
WHERE day >= toDate({until:DateTime64(3, 'UTC')}) - 35 AND checked_at <= {until:DateTime64(3, 'UTC')}
GROUP BY provider, currency
HAVING days > 0
