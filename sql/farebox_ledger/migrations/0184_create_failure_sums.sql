-- What failed attempts add up to, and what made them good: what a refresh counts into failures_hourly, and what a query counts
-- of hours that are dirty or cut off. What happened in live hours is looked at now, what tasks did in other hours is kept in
-- spanning_calls. Every dirty hour that matters must be live.
CREATE VIEW IF NOT EXISTS failure_sums
AS
WITH
    arrayJoin({levels:Array(UInt8)}) AS by_tenant,
    arrayJoin(bad) AS failure,
    arrayExists(each -> each.1 = failure.call AND each.2 > failure.attempt, goods) AS retried
SELECT
    by_tenant,
    if(by_tenant, failure.tenant, '') AS tenant,
    toStartOfHour(failure.at) AS hour,
    failure.route AS route,
    failure.provider AS provider,
    failure.model AS model,
    arrayJoin(failure.classes) AS class,
    count() AS failed,
    countIf(retried) AS by_retry,
    countIf(NOT retried AND last_good > failure.at) AS by_call,
    sum(failure.cost) AS spend,
    countIf(failure.doubtful) AS doubtful
FROM
(
    SELECT
        task_key,
        max(tried.good_at) AS last_good,
        groupArrayIf((call, good_attempt), good_attempt > 0) AS goods,
        groupArrayArray(failures) AS bad
    FROM
    (
        WITH
            toStartOfHour(llm_attempts.started_at) IN ({hours:Array(DateTime('UTC'))})
                AND llm_attempts.started_at >= {since:DateTime64(6, 'UTC')}
                AND llm_attempts.started_at < {until:DateTime64(6, 'UTC')} AS is_asked_for
        SELECT
            sipHash64(trace_id, call_id) AS call,
            if(llm_attempts.task = '', call, sipHash64(llm_attempts.task)) AS task_key,
            if(good, started_at, toDateTime64(0, 6, 'UTC')) AS good_at,
            if(good, attempt, 0) AS good_attempt,
            if(
                good OR NOT is_asked_for,
                [],
                [CAST(
                    (
                        started_at,
                        call,
                        attempt,
                        tenant,
                        route,
                        provider,
                        model,
                        if(
                            outcome != 'ok',
                            [toString(outcome)],
                            arrayDistinct(arrayMap(
                                flag -> splitByChar('.', toString(flag))[1],
                                arrayFilter(flag -> NOT startsWith(flag, 'not_checked.') AND flag != 'long_context', flags)
                            ))
                        ),
                        list_cost,
                        price_state IN ('no_price', 'no_usage', 'partial')
                    ),
                    'Tuple(at DateTime64(6, \'UTC\'), call UInt64, attempt UInt16, tenant String, route String, provider String, model String, classes Array(String), cost Nullable(Decimal(38, 12)), doubtful Bool)'
                )]
            ) AS failures
        FROM llm_attempts
        WHERE toStartOfHour(started_at) IN ({live:Array(DateTime('UTC'))}) AND kind != 'iteration'
        UNION ALL
        SELECT
            sipHash64(trace_id, call_id) AS call,
            task_key,
            good_at,
            good_attempt,
            [] AS failures
        FROM spanning_calls FINAL
        WHERE hour NOT IN ({live:Array(DateTime('UTC'))})
            AND good_at > toDateTime64(0, 6, 'UTC')
            AND task_key IN
            (
                SELECT if(task = '', sipHash64(trace_id, call_id), sipHash64(task))
                FROM stored_attempts
                WHERE toStartOfHour(started_at) IN ({hours:Array(DateTime('UTC'))}) AND (outcome != 'ok' OR notEmpty(flags))
            )
    ) AS tried
    GROUP BY task_key
    HAVING notEmpty(bad)
)
GROUP BY by_tenant, tenant, hour, route, provider, model, class
COMMENT 'Failed attempts of some hours, within a period, counted, and how many of them were made good since; columns as in failures_hourly; parameters hours, live, since, until and levels (of them 0: all tenants together, 1: each by itself)'
