ALTER TABLE spanning_calls
    ADD COLUMN IF NOT EXISTS tenant LowCardinality(String) COMMENT 'Tenant of the first of these attempts; empty: none set' AFTER provider
