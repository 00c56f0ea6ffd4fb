-- Parts of arrivals whose ids a refresh has noted, and whose hours it has yet to count. A name is never used twice.
CREATE TABLE IF NOT EXISTS noted_parts
(
    part String COMMENT 'Name of a part of arrivals',
    noted_at DateTime('UTC') DEFAULT now('UTC') COMMENT 'When it was noted'
)
ENGINE = MergeTree
ORDER BY part
TTL noted_at + INTERVAL 1 DAY
COMMENT 'Parts of arrivals in which no duplicate has to be looked for any more; one that is forgotten is noted again'
