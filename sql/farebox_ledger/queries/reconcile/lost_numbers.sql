-- Which numbers of attempts are missing, by the hour of the next one that came? A client numbers its attempts without gaps, so a
-- missing number is a record that was lost on the way; it may have been of any provider that the client called.
SELECT
    toStartOfHour(started_at) AS hour,
    providers,
    sum(lost) AS numbers
FROM
(
    SELECT
        started_at,
        groupUniqArray(provider) OVER (PARTITION BY instance) AS providers,
        toInt64(seq) - lagInFrame(toInt64(seq), 1, toInt64(seq) - 1) OVER
        (
            PARTITION BY instance
            ORDER BY seq
            ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
        ) - 1 AS lost
    FROM llm_attempts
    WHERE started_at >= {since:DateTime64(6, 'UTC')} AND started_at < {until:DateTime64(6, 'UTC')} AND instance != '' AND seq IS NOT NULL
)
WHERE lost > 0
GROUP BY hour, providers
