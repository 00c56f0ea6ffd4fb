-- Spans that came with the ids of one that was already stored, and with other content. They change no figure.
CREATE TABLE IF NOT EXISTS span_conflicts
(
    trace_id FixedString(16) COMMENT 'Trace id',
    span_id FixedString(8) COMMENT 'Span id',
    content UInt64 COMMENT 'Hash of the later span as it came; a copy of it is no further conflict',
    started_at DateTime64(6, 'UTC') COMMENT 'When the later span says it began',
    received_at DateTime64(6, 'UTC') COMMENT 'When the ledger stored the later span',
    service LowCardinality(String) COMMENT 'service.name of the client',
    route LowCardinality(String) COMMENT 'Route that the later span names',
    provider LowCardinality(String) COMMENT 'Provider that the later span names',
    model LowCardinality(String) COMMENT 'Model that the later span names',
    outcome LowCardinality(String) COMMENT 'How it ended, says the later span',
    usage_state LowCardinality(String) COMMENT 'Usage state of the later span',
    uncached_input_tokens Nullable(UInt32) COMMENT 'As the later span says; NULL: it does not',
    output_tokens Nullable(UInt32) COMMENT 'As the later span says; NULL: it does not',
    list_cost Nullable(Decimal(38, 12)) COMMENT 'USD it would have cost, and does not; NULL: not known',
    price_state LowCardinality(String) COMMENT 'Price state it would have had'
)
ENGINE = ReplacingMergeTree
ORDER BY (trace_id, span_id, content)
COMMENT 'Later spans with the ids of a stored one and other content: counted, and never in any figure'
