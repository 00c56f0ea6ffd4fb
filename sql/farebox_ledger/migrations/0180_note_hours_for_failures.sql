-- A rollup is new, and another comes again with other columns: every hour is dirty until it is counted into them.
INSERT INTO arrivals (hour, received_at)
SELECT DISTINCT toStartOfHour(started_at), now64(6, 'UTC')
FROM stored_attempts
