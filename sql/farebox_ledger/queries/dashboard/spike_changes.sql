-- What changed in the range and in the three hours before it? Deployments and other marks, prices of models that were called,
-- and models and prompt versions whose first call in a week fell into it; the latest first. No money.
WITH
    $__fromTime_ms - INTERVAL 3 HOUR AS since
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
        min(started_at) AS at,
        first.1 AS kind,
        first.2 AS text,
        arrayStringConcat(arraySort(groupUniqArray(5)(toString(route))), ', ') AS on_route,
        '' AS who
    FROM
    (
        SELECT
            started_at,
            route,
            arrayJoin([('new model', toString(model)), ('new prompt version', toString(prompt_version))]) AS first
        FROM llm_attempts
        WHERE started_at >= since AND started_at < $__toTime_ms
            AND @chosen(route) AND @chosen(provider) AND @chosen(model) AND @chosen(tenant)
    )
    WHERE first.2 != '' AND first NOT IN
    (
        SELECT arrayJoin([('new model', toString(model)), ('new prompt version', toString(prompt_version))])
        FROM stored_attempts
        WHERE started_at >= since - INTERVAL 7 DAY AND started_at < since
            AND @chosen(route) AND @chosen(provider) AND @chosen(model) AND @chosen(tenant)
        GROUP BY model, prompt_version
    )
    GROUP BY first
)
ORDER BY at DESC, kind, text
LIMIT 100
