ALTER TABLE spanning_calls
    ADD COLUMN IF NOT EXISTS good_attempt UInt16 COMMENT 'The highest number of a good one of these attempts; 0: it is the first, or there is none' AFTER succeeded,
    ADD COLUMN IF NOT EXISTS good_at DateTime64(6, 'UTC') COMMENT 'When the last good one of them began; 1970-01-01: none is good' AFTER good_attempt
