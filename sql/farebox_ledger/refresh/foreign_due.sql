-- From when to when were the spans received that are to be decided now, and is there any?
SELECT
    (SELECT max(until) FROM foreign_decided) AS since,
    now64(6, 'UTC') - toIntervalSecond({wait_s:UInt32}) AS until,
    count() AS spans
FROM foreign_spans
WHERE received_at >= since AND received_at < until
