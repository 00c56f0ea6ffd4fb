-- What became of the calls that other instrumentations report: pending ones are in no money yet.
CREATE VIEW IF NOT EXISTS foreign_attempts
(
    started_at DateTime64(6, 'UTC') COMMENT 'When the call began',
    received_at DateTime64(6, 'UTC') COMMENT 'When the ledger stored it first',
    trace_id FixedString(16) COMMENT 'Trace id',
    span_id FixedString(8) COMMENT 'Span id',
    scope String COMMENT 'Instrumentation scope that reports it',
    route String COMMENT 'Route, default where it names none',
    provider String COMMENT 'Who bills',
    request_model String COMMENT 'Model as asked for',
    response_id String COMMENT 'The provider''s id of the response; empty: not said',
    decision String COMMENT 'pending, counts (it is in llm_attempts) or covered (another span of the same call is)',
    because String COMMENT 'What it is covered by; empty: by nothing'
)
AS
SELECT
    spans.started_at AS started_at,
    spans.received_at AS received_at,
    spans.trace_id AS trace_id,
    spans.span_id AS span_id,
    spans.scope AS scope,
    spans.route AS route,
    spans.provider AS provider,
    spans.request_model AS request_model,
    spans.response_id AS response_id,
    if(decisions.decision = '', 'pending', decisions.decision) AS decision,
    decisions.because AS because
FROM (SELECT * FROM foreign_spans ORDER BY received_at LIMIT 1 BY trace_id, span_id) AS spans
LEFT ANY JOIN (SELECT * FROM foreign_decisions FINAL) AS decisions USING (trace_id, span_id)
COMMENT 'Calls reported by other instrumentations, and whether they count'
