-- Whose spend changed most against what is usual, the same hours of the seven days before on average? One row a route, model and
-- provider, the largest change first, and last what has one value only; a call stands in a row of each kind. USD of what is
-- known, NULL: nothing is.
SELECT
    kind AS `kind`,
    value AS `value`,
    toFloat64(usual_known) AS `usual`,
    toFloat64(now_known) AS `spend`,
    toFloat64(changed) AS `change`,
    usual_calls / stretches AS `calls, usual`,
    now_calls AS `calls`,
    if(usual_calls > 0, toFloat64(usual_known) * stretches / usual_calls, NULL) AS `per call, usual`,
    if(now_calls > 0, toFloat64(now_known) / now_calls, NULL) AS `per call`,
    now_doubts AS `not fully priced`,
    ifNull(toString(changed), '') AS `change, exact`
FROM
(
    SELECT
        arrayJoin([('route', route), ('model', model), ('provider', provider)]) AS each,
        each.1 AS kind,
        each.2 AS value,
        greatest(max(max(stretch)) OVER (), 1) AS stretches,
        count() OVER (PARTITION BY kind) AS values_of_kind,
        sumIf(spend, stretch = 0) AS now_known,
        roundBankers(divideDecimal(sumIf(spend, stretch > 0), toDecimal64(stretches, 0), 30), 12) AS usual_known,
        if(now_known IS NULL AND usual_known IS NULL, NULL, ifNull(now_known, 0) - ifNull(usual_known, 0)) AS changed,
        sumIf(calls, stretch = 0) AS now_calls,
        sumIf(calls, stretch > 0) AS usual_calls,
        sumIf(doubts, stretch = 0) AS now_doubts
    FROM @stretches()
    GROUP BY each
)
ORDER BY values_of_kind > 1 DESC, abs(changed) DESC, now_calls DESC, kind, value
LIMIT 40
