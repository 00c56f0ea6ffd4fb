-- Does any span of another instrumentation count? 1 or 0.
SELECT count() > 0 AS some
FROM (SELECT 1 FROM foreign_decisions WHERE decision = 'counts' LIMIT 1)
