-- The one thing that changes a stored figure. Append-only: who, when, why, what it was and what it is. A row is written here
-- before the figure changes; one whose figure did not change, because of a crash, is followed by another.
CREATE TABLE IF NOT EXISTS adjustments
(
    started_at DateTime64(6, 'UTC') COMMENT 'When the attempt began' CODEC(Delta(8), ZSTD(1)),
    trace_id FixedString(16) COMMENT 'Trace id of the attempt' CODEC(ZSTD(1)),
    span_id FixedString(8) COMMENT 'Span id of the attempt' CODEC(ZSTD(1)),
    adjusted_at DateTime64(6, 'UTC') COMMENT 'When it was adjusted' CODEC(Delta(8), ZSTD(1)),
    run String COMMENT 'Id of the run that adjusted it' CODEC(ZSTD(1)),
    who LowCardinality(String) COMMENT 'Who adjusted it',
    why LowCardinality(String) COMMENT 'Why',
    old_list_cost Nullable(Decimal(38, 12)) COMMENT 'list_cost before; NULL: not known' CODEC(ZSTD(1)),
    old_cost_input Nullable(Decimal(38, 12)) COMMENT 'cost_input before; NULL: not known' CODEC(ZSTD(1)),
    old_cost_cache_read Nullable(Decimal(38, 12)) COMMENT 'cost_cache_read before; NULL: not known' CODEC(ZSTD(1)),
    old_cost_cache_write Nullable(Decimal(38, 12)) COMMENT 'cost_cache_write before; NULL: not known' CODEC(ZSTD(1)),
    old_cost_output Nullable(Decimal(38, 12)) COMMENT 'cost_output before; NULL: not known' CODEC(ZSTD(1)),
    old_cost_tools Nullable(Decimal(38, 12)) COMMENT 'cost_tools before; NULL: not known' CODEC(ZSTD(1)),
    old_model LowCardinality(String) COMMENT 'Canonical model before',
    old_price_id LowCardinality(String) COMMENT 'Row of price_spans before',
    old_price_book_version DateTime64(6, 'UTC') COMMENT 'Version of the book before',
    old_price_state LowCardinality(String) COMMENT 'Price state before',
    old_price_reason LowCardinality(String) COMMENT 'Price reason before',
    new_list_cost Nullable(Decimal(38, 12)) COMMENT 'list_cost after; NULL: not known' CODEC(ZSTD(1)),
    new_cost_input Nullable(Decimal(38, 12)) COMMENT 'cost_input after; NULL: not known' CODEC(ZSTD(1)),
    new_cost_cache_read Nullable(Decimal(38, 12)) COMMENT 'cost_cache_read after; NULL: not known' CODEC(ZSTD(1)),
    new_cost_cache_write Nullable(Decimal(38, 12)) COMMENT 'cost_cache_write after; NULL: not known' CODEC(ZSTD(1)),
    new_cost_output Nullable(Decimal(38, 12)) COMMENT 'cost_output after; NULL: not known' CODEC(ZSTD(1)),
    new_cost_tools Nullable(Decimal(38, 12)) COMMENT 'cost_tools after; NULL: not known' CODEC(ZSTD(1)),
    new_model LowCardinality(String) COMMENT 'Canonical model after',
    new_price_id LowCardinality(String) COMMENT 'Row of price_spans after',
    new_price_book_version DateTime64(6, 'UTC') COMMENT 'Version of the book after',
    new_price_state LowCardinality(String) COMMENT 'Price state after',
    new_price_reason LowCardinality(String) COMMENT 'Price reason after'
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(started_at)
ORDER BY (toStartOfHour(started_at), trace_id, span_id, adjusted_at)
COMMENT 'Changes of stored figures: who, when, why, old and new'
