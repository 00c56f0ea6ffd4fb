-- It comes again with more columns and another order.
DROP TABLE IF EXISTS attempts_hourly SYNC
