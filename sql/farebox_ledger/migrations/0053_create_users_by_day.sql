CREATE VIEW IF NOT EXISTS users_by_day
(
    day Date COMMENT 'Day, UTC',
    user_id String COMMENT 'Tag user, or its hash; empty: none set',
    tenant LowCardinality(String) COMMENT 'Tag tenant; empty: none set',
    attempts UInt64 COMMENT 'Attempts; passes with a price of their own (iterations) are not counted, their money is',
    spend Nullable(Decimal(38, 12)) COMMENT 'USD of what is priced, at least that much if no_price, no_usage or partial is above 0; NULL: of nothing',
    no_price UInt64 COMMENT 'Rows without a price',
    no_usage UInt64 COMMENT 'Rows without usage',
    partial UInt64 COMMENT 'Rows of whose cost a lower bound is known'
)
AS
WITH (SELECT days FROM closed_days) AS closed
SELECT
    day,
    user_id,
    tenant,
    attempts,
    spend,
    no_price,
    no_usage,
    partial
FROM users_daily FINAL
WHERE day IN (closed)
UNION ALL
SELECT
    toDate(hour) AS day,
    user_id,
    tenant,
    attempts,
    spend,
    no_price,
    no_usage,
    partial
FROM users_by_hour
WHERE toDate(hour) NOT IN (closed)
COMMENT 'What users cost by day: exact at every moment, and fast; a day may have several rows of a user'
