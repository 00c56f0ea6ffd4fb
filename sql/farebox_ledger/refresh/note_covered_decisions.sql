-- Which spans of others count no longer?
INSERT INTO foreign_decisions (trace_id, span_id, decision, because, step, decided_at)
SELECT trace_id, span_id, 'covered', because, 2 AS step, now64(6, 'UTC') AS decided_at
FROM covered_late(parts = {parts:Array(String)})
