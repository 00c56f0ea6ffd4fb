-- Which numbers did clients' processes give their attempts of these hours?
INSERT INTO numbers_hourly
(
    hour,
    service,
    instance,
    first_at,
    first,
    last,
    numbers,
    rolled_at
)
SELECT
    toStartOfHour(started_at) AS hour,
    service,
    instance,
    argMin(started_at, assumeNotNull(seq)) AS first_at,
    assumeNotNull(min(seq)) AS first,
    assumeNotNull(max(seq)) AS last,
    count() AS numbers,
    {now:DateTime64(6, 'UTC')} AS rolled_at
FROM llm_attempts
WHERE toStartOfHour(started_at) IN {hours:Array(DateTime('UTC'))} AND instance != '' AND seq IS NOT NULL
GROUP BY hour, service, instance
