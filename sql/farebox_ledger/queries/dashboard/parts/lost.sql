-- Numbers that are missing in the range: each client's process numbers its attempts without gaps, so a missing one was lost on
-- the way; it belongs to the hour of the next that came. An hour to both sides is read, since attempts end out of turn. A
-- process that lacks none is known from its hours' counts; of one that does, hours with gaps are read attempt by attempt.
(
    WITH
        toStartOfHour($__fromTime_ms - INTERVAL 1 HOUR) AS since_hour,
        (SELECT hours FROM dirty_hours) AS dirty,
        (
            SELECT arrayFlatten(groupArray(spans))
            FROM
            (
                SELECT groupArray((toString(service), toString(instance), hour, first_at, first, last, last - first + 1 = numbers)) AS spans
                FROM
                (
                    SELECT service, instance, hour, first_at, first, last, numbers
                    FROM numbers_hourly FINAL
                    WHERE hour >= since_hour AND hour < $__toTime_ms + INTERVAL 1 HOUR AND hour NOT IN (dirty) AND numbers > 0
                    UNION ALL
                    SELECT
                        service,
                        instance,
                        toStartOfHour(started_at) AS hour,
                        argMin(started_at, assumeNotNull(seq)),
                        assumeNotNull(min(seq)),
                        assumeNotNull(max(seq)),
                        count()
                    FROM llm_attempts
                    WHERE toStartOfHour(started_at) IN (SELECT arrayJoin(dirty))
                        AND started_at >= since_hour AND started_at < $__toTime_ms + INTERVAL 1 HOUR
                        AND instance != '' AND seq IS NOT NULL
                    GROUP BY service, instance, hour
                )
                GROUP BY instance
                HAVING max(last) - min(first) + 1 > sum(numbers)
            )
        ) AS spans,
        arrayMap(span -> (span.2, span.3), arrayFilter(span -> NOT span.7, spans)) AS with_gaps
    SELECT service, instance, moment, missing AS numbers
    FROM
    (
        SELECT
            service,
            instance,
            moment,
            toInt64(first) - lagInFrame(toInt64(last), 1, toInt64(first) - 1) OVER
            (
                PARTITION BY instance
                ORDER BY first
                ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
            ) - 1 AS missing
        FROM
        (
            SELECT span.1 AS service, span.2 AS instance, span.4 AS moment, span.5 AS first, span.6 AS last
            FROM (SELECT arrayJoin(arrayFilter(span -> span.7, spans)) AS span)
            UNION ALL
            SELECT toString(service), toString(instance), started_at, assumeNotNull(seq), assumeNotNull(seq)
            FROM llm_attempts
            WHERE toStartOfHour(started_at) IN (SELECT arrayJoin(arrayMap(each -> each.2, with_gaps)))
                AND (toString(instance), toStartOfHour(started_at)) IN (SELECT each.1, each.2 FROM (SELECT arrayJoin(with_gaps) AS each))
                AND seq IS NOT NULL
        )
    )
    WHERE missing > 0 AND moment >= $__fromTime_ms AND moment < $__toTime_ms
)
