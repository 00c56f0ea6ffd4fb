-- How far behind was farebox up over time? Seconds an interval, the most of it: from acknowledged to stored, and the age of the
-- oldest that waited in the journal; and how often an insert failed or a client was asked to come back.
SELECT
    toStartOfInterval(minute, toIntervalSecond($__interval_s)) AS time,
    max(lag_s) AS `to store`,
    max(journal_age_s) AS `oldest waiting`,
    sum(insert_failures) AS `failed inserts`,
    sum(requests_deferred) AS `clients put off`
FROM collector_health
WHERE minute >= $__fromTime_ms AND minute < $__toTime_ms
GROUP BY time
ORDER BY time
