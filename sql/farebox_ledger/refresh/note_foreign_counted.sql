-- The ledger has them.
INSERT INTO foreign_decisions (trace_id, span_id, decision, because, step, decided_at)
SELECT trace_id, span_id, decision, because, 1 AS step, decided_at
FROM foreign_decisions FINAL
WHERE step = 0
