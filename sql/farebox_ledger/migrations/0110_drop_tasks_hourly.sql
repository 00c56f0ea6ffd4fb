-- It comes again by tenant, and in another order.
DROP TABLE IF EXISTS tasks_hourly SYNC
