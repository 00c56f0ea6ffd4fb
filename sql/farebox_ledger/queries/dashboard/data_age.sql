-- How old is what the ledger received last? Seconds, whatever the variables say; NULL: nothing in the last 31 days.
SELECT if(count() = 0, NULL, greatest(dateDiff('millisecond', max(received_at), now64(3)), 0) / 1000) AS `age`
FROM stored_attempts
WHERE started_at >= now() - INTERVAL 31 DAY
