-- What do clients say of themselves, and which of their numbers are missing? One row a process that reported in the range or lost
-- something, the most lost first: counts since it began, as of its last report; numbers missing in the range. NULL: it said
-- nothing.
SELECT
    coalesce(reported.service, missing.service) AS `service`,
    coalesce(reported.instance, missing.instance) AS `instance`,
    missing.numbers AS `lost on the way`,
    missing.last AS `last loss`,
    reported.at AS `reported`,
    if(reported.at IS NULL, NULL, reported.counts['recorded']) AS `recorded`,
    if(reported.at IS NULL, NULL, reported.counts['dropped'] + reported.counts['spans_dropped']) AS `dropped`,
    if(reported.at IS NULL, NULL, reported.counts['spans_refused']) AS `refused`,
    if(reported.at IS NULL, NULL, reported.counts['waiting'] + reported.counts['spans_waiting']) AS `waiting`,
    arrayStringConcat(
        arrayMap(
            each -> concat(toString(each), ' ', toString(reported.counts[each])),
            arrayFilter(
                each -> reported.counts[each] > 0 AND each NOT IN
                    ('recorded', 'dropped', 'spans_dropped', 'spans_refused', 'spans_sent', 'waiting', 'spans_waiting'),
                arraySort(mapKeys(reported.counts))
            )
        ),
        ', '
    ) AS `also`
FROM
(
    SELECT
        toNullable(toString(service)) AS service,
        toNullable(toString(instance)) AS instance,
        toNullable(max(reported_at)) AS at,
        argMax(counts, reported_at) AS counts
    FROM client_health
    WHERE reported_at >= $__fromTime_ms AND reported_at < $__toTime_ms
    GROUP BY service, instance
) AS reported
FULL JOIN
(
    SELECT
        toNullable(toString(service)) AS service,
        toNullable(toString(instance)) AS instance,
        toNullable(sum(numbers)) AS numbers,
        toNullable(max(moment)) AS last
    FROM @lost()
    GROUP BY service, instance
) AS missing ON missing.service = reported.service AND missing.instance = reported.instance
ORDER BY ifNull(`lost on the way`, 0) + ifNull(`dropped`, 0) + ifNull(`refused`, 0) DESC, `service`, `instance`
LIMIT 100
