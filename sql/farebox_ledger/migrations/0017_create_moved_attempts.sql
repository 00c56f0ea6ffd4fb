-- Duplicates that came again with a start in another hour, where FINAL does not meet them: all but the first stored.
CREATE VIEW IF NOT EXISTS moved_attempts
(
    hour DateTime('UTC') COMMENT 'Hour in which the duplicate stands',
    trace_id FixedString(16) COMMENT 'Trace id',
    span_id FixedString(8) COMMENT 'Span id'
)
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
        groupUniqArray(hour) AS hours,
        argMax(hour, version) AS first_hour
    FROM attempt_hours
    GROUP BY span_id, trace_id
    HAVING min(hour) != max(hour)
)
COMMENT 'Duplicates with a start in another hour than the first stored row'
