-- Which tenants, users, versions of the prompt and services changed most against what is usual, the same hours of the seven days before on
-- average? One row a value, the largest change first, and last what has one value only. USD of what is known, NULL: nothing
-- is. Rollups do not know them, so attempts are read one by one.
SELECT
    kind AS `kind`,
    value AS `value`,
    toFloat64(usual_known) AS `usual`,
    toFloat64(now_known) AS `spend`,
    toFloat64(changed) AS `change`,
    usual_calls / stretches AS `calls, usual`,
    now_calls AS `calls`,
    now_doubts AS `not fully priced`,
    ifNull(toString(changed), '') AS `change, exact`
FROM
(
    SELECT
        arrayJoin(arrayFilter(
            each -> each.2 != '',
            [('tenant', toString(tenant)), ('user', user_id), ('prompt version', toString(prompt_version)), ('service', toString(service))]
        )) AS each,
        each.1 AS kind,
        each.2 AS value,
        greatest(max(max(stretch)) OVER (), 1) AS stretches,
        count() OVER (PARTITION BY kind) AS values_of_kind,
        sumIf(cost, stretch = 0) AS now_known,
        roundBankers(divideDecimal(sumIf(cost, stretch > 0), toDecimal64(stretches, 0), 30), 12) AS usual_known,
        if(now_known IS NULL AND usual_known IS NULL, NULL, ifNull(now_known, 0) - ifNull(usual_known, 0)) AS changed,
        sumIf(met.calls, stretch = 0) AS now_calls,
        sumIf(met.calls, stretch > 0) AS usual_calls,
        sumIf(met.doubts, stretch = 0) AS now_doubts
    FROM
    (
        SELECT
            tenant,
            user_id,
            prompt_version,
            service,
            stretch,
            sum(list_cost) AS cost,
            countIf(attempt = 0 AND kind != 'iteration') AS calls,
            countIf(price_state IN ('no_price', 'no_usage', 'partial')) AS doubts
        FROM @rows_of_stretches()
        GROUP BY tenant, user_id, prompt_version, service, stretch
    ) AS met
    GROUP BY each
)
ORDER BY values_of_kind > 1 DESC, abs(changed) DESC, now_calls DESC, kind, value
LIMIT 40
