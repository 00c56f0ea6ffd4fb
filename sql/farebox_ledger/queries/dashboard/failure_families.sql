-- Do models hedge, or are they too sure of themselves? Of the answers of each model that were checked for it: refusals in words,
-- questions back and disclaimers (hedging) against invented imports and attributes, broken limits and unknown tools or
-- arguments (overconfidence). Shares from 0 to 1 with Wilson's 95 % interval, NULL: none was checked.
SELECT
    model AS `model`,
    provider AS `provider`,
    maxIf(checked, failure = 'hedging') AS `checked for hedging`,
    anyIf(rate, failure = 'hedging') AS `hedging`,
    anyIf(low, failure = 'hedging') AS `hedging, at least`,
    anyIf(high, failure = 'hedging') AS `hedging, at most`,
    maxIf(checked, failure = 'overconfidence') AS `checked for overconfidence`,
    anyIf(rate, failure = 'overconfidence') AS `overconfidence`,
    anyIf(low, failure = 'overconfidence') AS `overconfidence, at least`,
    anyIf(high, failure = 'overconfidence') AS `overconfidence, at most`
FROM @query(failure_rates, model, provider)
WHERE total = 0 AND failure IN ('hedging', 'overconfidence')
GROUP BY model, provider
ORDER BY greatest(`checked for hedging`, `checked for overconfidence`) DESC, model, provider
LIMIT 100
