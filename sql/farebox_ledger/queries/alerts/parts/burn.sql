-- How fast does each budget burn? Times the rate that would just use it up, over the last @long seconds and over the last
-- @short, whichever is less: a fire that is out does not count, nor does one that has only begun. USD of what is known.
(
    SELECT
        budget,
        any(usd_held) AS amount,
        sumIf(usd, holds) AS spent,
        sumIf(unknown, holds) AS not_priced,
        least(
            spent / (amount * @long / any(period_s)),
            sumIf(lately, holds) / (amount * @short / any(period_s))
        ) AS burn
    FROM
    (
        SELECT
            held.name AS budget,
            toFloat64(held.amount) AS usd_held,
            dateDiff('second', held.period_start, held.period_end) AS period_s,
            spending.usd AS usd,
            spending.lately AS lately,
            spending.unknown AS unknown,
            arrayAll(
                (column, wanted) -> wanted != '' AND wanted = multiIf(
                    column = 'route', spending.route,
                    column = 'provider', spending.provider,
                    column = 'model', spending.model,
                    column = 'tenant', spending.tenant,
                    column = 'user_id', spending.user_id,
                    column = 'service', spending.service,
                    column = 'environment', spending.environment,
                    column = 'prompt_version', spending.prompt_version,
                    column = 'organization', spending.organization,
                    column = 'workspace', spending.workspace,
                    column = 'project', spending.project,
                    column = 'key_fingerprint', spending.key_fingerprint,
                    column = 'task', spending.task,
                    startsWith(column, 'tag.'), spending.tags[substring(column, 5)],
                    ''
                ),
                arrayMap(each -> toString(each), mapKeys(held.applies_to)), mapValues(held.applies_to)
            ) AS holds
        FROM budgets_in_force(at = toDateTime({until:DateTime64(3, 'UTC')}, 'UTC')) AS held
        CROSS JOIN
        (
            -- Who and what for is told apart only where a budget asks for it.
            WITH
                (
                    SELECT groupUniqArrayArray(arrayMap(each -> toString(each), mapKeys(applies_to)))
                    FROM budgets_in_force(at = toDateTime({until:DateTime64(3, 'UTC')}, 'UTC'))
                ) AS columns
            SELECT
                toString(llm_attempts.route) AS route,
                toString(llm_attempts.provider) AS provider,
                toString(llm_attempts.model) AS model,
                if(has(columns, 'tenant'), toString(llm_attempts.tenant), '') AS tenant,
                if(has(columns, 'user_id'), llm_attempts.user_id, '') AS user_id,
                if(has(columns, 'service'), toString(llm_attempts.service), '') AS service,
                if(has(columns, 'environment'), toString(llm_attempts.environment), '') AS environment,
                if(has(columns, 'prompt_version'), toString(llm_attempts.prompt_version), '') AS prompt_version,
                if(has(columns, 'organization'), toString(llm_attempts.organization), '') AS organization,
                if(has(columns, 'workspace'), toString(llm_attempts.workspace), '') AS workspace,
                if(has(columns, 'project'), toString(llm_attempts.project), '') AS project,
                if(has(columns, 'key_fingerprint'), toString(llm_attempts.key_fingerprint), '') AS key_fingerprint,
                if(has(columns, 'task'), llm_attempts.task, '') AS task,
                mapFilter((key, value) -> has(columns, concat('tag.', toString(key))), llm_attempts.tags) AS tags,
                ifNull(toFloat64(sum(list_cost)), 0) AS usd,
                countIf(list_cost IS NULL) AS unknown,
                ifNull(toFloat64(sumIf(list_cost, started_at >= {until:DateTime64(3, 'UTC')} - INTERVAL @short SECOND)), 0) AS lately
            FROM llm_attempts
            WHERE started_at >= {until:DateTime64(3, 'UTC')} - INTERVAL @long SECOND
                AND started_at < {until:DateTime64(3, 'UTC')}
                AND (SELECT count() FROM budgets) > 0
            GROUP BY ALL
        ) AS spending
        WHERE held.amount > 0
    )
    GROUP BY budget
)
