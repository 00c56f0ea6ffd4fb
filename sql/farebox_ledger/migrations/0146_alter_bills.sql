-- Reports of usage name no money, and bills name keys as the provider does, which are not the fingerprints on the wire.
ALTER TABLE bills
    MODIFY COLUMN amount Nullable(Decimal(38, 12)) COMMENT 'What is billed, in currency, before taxes; NULL: a report of usage, which names no money',
    MODIFY COLUMN bill_id String COMMENT 'Export it comes from: its name and the beginning of the SHA-256 of its content',
    ADD COLUMN IF NOT EXISTS key_id LowCardinality(String) COMMENT 'Key as the provider names it; empty: not said' AFTER key_fingerprint,
    ADD COLUMN IF NOT EXISTS region LowCardinality(String) COMMENT 'Region or geography as the provider names it; empty: not said' AFTER service_tier,
    ADD COLUMN IF NOT EXISTS description String COMMENT 'Line in the provider''s words; empty: none' AFTER currency
