CREATE TABLE IF NOT EXISTS foreign_decided
(
    until DateTime64(6, 'UTC') COMMENT 'Spans received before this are decided'
)
ENGINE = MergeTree
ORDER BY until
COMMENT 'How far spans of other instrumentations are decided'
