-- Which arrivals are duplicates in another hour than the first stored row?
INSERT INTO moved_attempts (hour, trace_id, span_id)
SELECT hour, trace_id, span_id
FROM moved_arrivals(parts = {parts:Array(String)})
