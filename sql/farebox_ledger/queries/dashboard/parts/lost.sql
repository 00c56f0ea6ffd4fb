-- Numbers that are missing in the range: each client's process numbers its attempts without gaps, so a missing one was lost on
-- the way; it belongs to the hour of the next that came. An hour to both sides is read, since attempts end out of turn.
(
    SELECT service, instance, moment, missing AS numbers
    FROM
    (
        SELECT
            service,
            instance,
            started_at AS moment,
            toInt64(seq) - lagInFrame(toInt64(seq), 1, toInt64(seq) - 1) OVER
            (
                PARTITION BY instance
                ORDER BY seq
                ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
            ) - 1 AS missing
        FROM llm_attempts
        WHERE started_at >= $__fromTime_ms - INTERVAL 1 HOUR AND started_at < $__toTime_ms + INTERVAL 1 HOUR
            AND instance != '' AND seq IS NOT NULL
    )
    WHERE missing > 0 AND moment >= $__fromTime_ms AND moment < $__toTime_ms
)
