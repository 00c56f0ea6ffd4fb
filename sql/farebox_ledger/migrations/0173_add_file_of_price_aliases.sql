-- An entry that its file no longer has ends: so the ledger must know which file that was.
ALTER TABLE price_aliases
    ADD COLUMN IF NOT EXISTS from_file String DEFAULT '' COMMENT 'File of the user''s that the row was read from; empty: shipped, or not known'
