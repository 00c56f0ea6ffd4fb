-- Of the arrivals in some parts (all that are not noted if none is named): which are duplicates in another hour? What a
-- refresh has noted stands; among new ones the first stored row does. However much waits to be counted, only what is not
-- noted yet is looked at.
CREATE OR REPLACE VIEW moved_arrivals
AS
SELECT
    arrayJoin(arrayFilter(each -> each != first_hour, hours)) AS hour,
    trace_id,
    span_id
FROM
(
    SELECT
        span_id,
        trace_id,
        groupUniqArray(met.hour) AS hours,
        argMax(met.hour, met.version) AS first_hour
    FROM
    (
        SELECT span_id, trace_id, hour, version
        FROM arrivals
        WHERE if(empty({parts:Array(String)}), _part NOT IN (SELECT part FROM noted_parts), _part IN {parts:Array(String)})
            AND version BETWEEN 1 AND 9223372036854775807
        UNION ALL
        SELECT span_id, trace_id, hour, 18446744073709551615 AS version
        FROM attempt_hours
        WHERE (span_id, trace_id) IN
        (
            SELECT span_id, trace_id
            FROM arrivals
            WHERE if(empty({parts:Array(String)}), _part NOT IN (SELECT part FROM noted_parts), _part IN {parts:Array(String)})
        )
    ) AS met
    GROUP BY span_id, trace_id
    HAVING min(met.hour) != max(met.hour)
)
COMMENT 'Arrivals that are duplicates in another hour; parameter parts: names of parts of arrivals, none for all that are not noted'
