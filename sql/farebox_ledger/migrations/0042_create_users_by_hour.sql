CREATE VIEW IF NOT EXISTS users_by_hour
(
    hour DateTime('UTC') COMMENT 'Hour',
    user_id String COMMENT 'Tag user, or its hash; empty: none set',
    tenant LowCardinality(String) COMMENT 'Tag tenant; empty: none set',
    attempts UInt64 COMMENT 'Attempts; passes with a price of their own (iterations) are not counted, their money is',
    spend Nullable(Decimal(38, 12)) COMMENT 'USD of what is priced, at least that much if no_price, no_usage or partial is above 0; NULL: of nothing',
    no_price UInt64 COMMENT 'Rows without a price',
    no_usage UInt64 COMMENT 'Rows without usage',
    partial UInt64 COMMENT 'Rows of whose cost a lower bound is known'
)
AS
WITH (SELECT hours FROM dirty_hours) AS dirty
SELECT
    hour,
    user_id,
    tenant,
    attempts,
    spend,
    no_price,
    no_usage,
    partial
FROM users_hourly FINAL
WHERE hour NOT IN (dirty) AND (attempts > 0 OR spend IS NOT NULL OR no_price + no_usage > 0)
UNION ALL
SELECT
    hour,
    user_id,
    tenant,
    attempts,
    spend,
    no_price,
    no_usage,
    partial
FROM user_sums(hours = dirty)
COMMENT 'What users cost by hour: exact at every moment, and fast'
