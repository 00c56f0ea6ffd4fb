-- Out of the ledger with them: farebox's own span of the call is in it.
INSERT INTO moved_attempts (hour, trace_id, span_id)
SELECT hour, trace_id, span_id
FROM covered_late(parts = {parts:Array(String)})
