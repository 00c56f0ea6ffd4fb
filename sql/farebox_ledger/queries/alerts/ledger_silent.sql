-- For how long has the ledger received nothing? Seconds, at most a day; nothing at all is a day.
SELECT least(greatest(dateDiff('second', max(received_at), {until:DateTime64(3, 'UTC')}), 0), 86400) AS value
FROM stored_attempts
WHERE started_at >= {until:DateTime64(3, 'UTC')} - INTERVAL 2 DAY
