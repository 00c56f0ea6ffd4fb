-- When a span came: what its retention counts from, so that a wrong clock neither keeps it nor loses it. Materialized, so that
-- whoever inserts into or selects all columns of the exporter's table meets those and no other.
ALTER TABLE otel_traces
    ADD COLUMN IF NOT EXISTS ReceivedAt DateTime('UTC') MATERIALIZED now('UTC') COMMENT 'When the span was stored' CODEC(Delta(4), ZSTD(1))
