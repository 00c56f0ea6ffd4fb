-- In which hour does each of the arrivals count?
INSERT INTO attempt_hours (span_id, trace_id, hour)
SELECT DISTINCT span_id, trace_id, hour
FROM arrivals
WHERE _part IN {parts:Array(String)}
    AND version > 0
    AND (hour, trace_id, span_id) NOT IN (SELECT hour, trace_id, span_id FROM moved_attempts)
