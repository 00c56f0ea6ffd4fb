-- It comes again by tenant, too.
DROP TABLE IF EXISTS answers_hourly SYNC
