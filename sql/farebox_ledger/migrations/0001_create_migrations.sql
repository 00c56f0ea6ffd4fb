-- The log that migrations are written to. The first migration creates it and is therefore logged only when finished.
CREATE TABLE IF NOT EXISTS migrations
(
    number UInt32 COMMENT 'Number of the migration: the NNNN of NNNN_verb_noun.sql',
    name String COMMENT 'Name of its file',
    checksum String COMMENT 'sha256 of the file as it was applied, in hex',
    started DateTime64(6, 'UTC') COMMENT 'When it was begun',
    finished Nullable(DateTime64(6, 'UTC')) COMMENT 'When it was done; NULL in the row written at its beginning'
)
ENGINE = MergeTree
ORDER BY (number, started)
COMMENT 'Log of schema migrations: a row when one starts and a row when it has finished'
