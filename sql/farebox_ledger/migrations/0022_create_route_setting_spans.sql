-- route_settings laid out for looking up, one row a route and stretch of time. Where nobody has decided, the defaults hold.
CREATE VIEW IF NOT EXISTS route_setting_spans
(
    route String COMMENT 'Route; * for every route without settings of its own',
    valid_from DateTime('UTC') COMMENT 'First second',
    valid_to DateTime('UTC') COMMENT 'Last second',
    disqualifying Array(String) COMMENT 'Families of flags that make an answer a failure',
    human_usd_per_minute Nullable(Decimal(18, 6)) COMMENT 'USD that a minute of a person''s work costs; NULL: not known'
)
AS
SELECT
    route,
    valid_from,
    leadInFrame(valid_from - 1, 1, toDateTime('2106-02-07 06:28:15', 'UTC')) OVER
    (
        PARTITION BY route
        ORDER BY valid_from
        ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
    ) AS valid_to,
    disqualifying,
    human_usd_per_minute
FROM
(
    SELECT
        route,
        valid_from,
        argMax(disqualifying, added_at) AS disqualifying,
        argMax(tuple(human_usd_per_minute), added_at).1 AS human_usd_per_minute
    FROM
    (
        SELECT route, valid_from, disqualifying, human_usd_per_minute, added_at
        FROM route_settings
        UNION ALL
        SELECT
            '*' AS route,
            toDateTime(0, 'UTC') AS valid_from,
            ['tool_call_malformed', 'truncated', 'refusal', 'empty', 'loop'] AS disqualifying,
            NULL AS human_usd_per_minute,
            toDateTime64(0, 6, 'UTC') AS added_at
    )
    GROUP BY route, valid_from
)
COMMENT 'route_settings and the defaults, one row a route and stretch of time'
