-- For how long has the ledger received nothing? Seconds, at most a day; nothing at all is a day.
SELECT least(dateDiff('second', max(received_at), now64(3)), 86400) AS silent_s
FROM stored_attempts
WHERE started_at >= now() - INTERVAL 2 DAY
