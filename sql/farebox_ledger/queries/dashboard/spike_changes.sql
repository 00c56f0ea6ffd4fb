-- What changed in the range and in the three hours before it? Deployments and other marks, prices of models that were called,
-- and models and prompt versions whose first call in a week fell into it, with the routes of that hour; the latest first. No
-- money.
WITH
    $__fromTime_ms - INTERVAL 3 HOUR AS since,
    (SELECT hours FROM dirty_hours) AS dirty,
    -- Hours in which rollups have met a name: where it is first met is in the first of them, or before.
    (
        SELECT mapFromArrays(groupArray(name), groupArray(first_hour))
        FROM
        (
            SELECT CAST(concat('new model ', model), 'String') AS name, min(hour) AS first_hour
            FROM attempts_hourly FINAL
            WHERE by_tenant = if(@all(tenant), 0, 1) AND hour >= since AND hour + 3600 <= $__toTime_ms AND hour NOT IN (dirty) AND attempts > 0
                AND @chosen(route) AND @chosen(provider) AND @chosen(model) AND @chosen(tenant)
            GROUP BY name
            UNION ALL
            SELECT CAST(concat('new prompt version ', value), 'String') AS name, min(hour) AS first_hour
            FROM answers_hourly FINAL
            WHERE by_tenant = if(@all(tenant), 0, 1) AND trait = 'version' AND hour >= since AND hour + 3600 <= $__toTime_ms
                AND hour NOT IN (dirty) AND answers > 0
                AND @chosen(route) AND @chosen(provider) AND @chosen(model) AND @chosen(tenant)
            GROUP BY name
        )
    ) AS surely_met,
    -- Names that the week before did not have, and the first hours in which each was met, duplicates among them: few attempts
    -- are left to look at one by one.
    (
        SELECT (groupArray(name), groupArray(first_hours))
        FROM
        (
            SELECT
                arrayJoin([('new model', toString(model)), ('new prompt version', toString(prompt_version))]) AS name,
                CAST(concat(name.1, ' ', name.2), 'String') AS full_name,
                arraySlice(
                    arraySort(arrayFilter(
                        each -> NOT mapContains(surely_met, full_name) OR each <= surely_met[full_name], groupUniqArrayIf(hour, is_now)
                    )),
                    1,
                    24
                ) AS first_hours,
                countIf(NOT is_now) AS before
            FROM
            (
                SELECT model, prompt_version, toStartOfHour(started_at) AS hour, started_at >= since AS is_now
                FROM stored_attempts
                WHERE started_at >= since - INTERVAL 7 DAY AND started_at < $__toTime_ms
                    AND @chosen(route) AND @chosen(provider) AND @chosen(model) AND @chosen(tenant)
                GROUP BY model, prompt_version, hour, is_now
            )
            GROUP BY name
            HAVING before = 0 AND name.2 != ''
        )
    ) AS first_met
SELECT at AS `at`, kind AS `what`, text AS `which`, on_route AS `route`, who AS `who`
FROM
(
    SELECT
        at,
        if(kind = '', 'mark', toString(kind)) AS kind,
        text,
        toString(annotations.route) AS on_route,
        who
    FROM annotations FINAL
    WHERE at >= since AND at < $__toTime_ms AND (annotations.route = '' OR @chosen(annotations.route))
    UNION ALL
    SELECT
        toDateTime64(valid_from, 6, 'UTC') AS at,
        'price' AS kind,
        concat(model, ' at ', provider, if(variant = '', '', concat(' (', variant, ')')), ': ', arrayStringConcat(groupArray(toString(unit)), ', ')) AS text,
        '' AS on_route,
        any(source) AS who
    FROM prices
    WHERE valid_from >= since AND valid_from < $__toTime_ms AND (provider, model) IN
    (
        SELECT toString(provider), toString(model)
        FROM @amounts(since, $__toTime_ms, 0)
    )
    GROUP BY valid_from, provider, model, variant
    UNION ALL
    SELECT
        min(met.first_at) AS at,
        first.1 AS kind,
        first.2 AS text,
        arrayStringConcat(arraySort(argMin(met.routes, met.hour)), ', ') AS on_route,
        '' AS who
    FROM
    (
        SELECT
            arrayJoin([('new model', toString(model)), ('new prompt version', toString(prompt_version))]) AS first,
            toStartOfHour(started_at) AS hour,
            min(started_at) AS first_at,
            groupUniqArray(5)(toString(route)) AS routes
        FROM llm_attempts
        WHERE toStartOfHour(started_at) IN (SELECT arrayJoin(arrayFlatten(first_met.2)))
            AND started_at >= since AND started_at < $__toTime_ms
            AND @chosen(route) AND @chosen(provider) AND @chosen(model) AND @chosen(tenant)
        GROUP BY first, hour
    ) AS met
    WHERE first IN (SELECT arrayJoin(first_met.1))
    GROUP BY first
)
ORDER BY at DESC, kind, text
LIMIT 100
