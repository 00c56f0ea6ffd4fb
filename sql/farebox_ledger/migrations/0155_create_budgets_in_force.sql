-- What may be spent at a moment: of each name the latest row, unless it ends the budget. Periods are those of UTC.
CREATE VIEW IF NOT EXISTS budgets_in_force
AS
WITH toDateTime({at:DateTime('UTC')}, 'UTC') AS at
SELECT
    name,
    latest.1 AS period,
    assumeNotNull(latest.2) AS amount,
    latest.3 AS applies_to,
    latest.4 AS valid_from,
    latest.5 AS who,
    latest.6 AS why,
    toDateTime(
        multiIf(
            period = 'hour', toStartOfHour(at),
            period = 'day', toStartOfDay(at),
            period = 'week', toDateTime(toMonday(at), 'UTC'),
            toDateTime(toStartOfMonth(at), 'UTC')
        ),
        'UTC'
    ) AS period_start,
    toDateTime(
        multiIf(
            period = 'hour', period_start + INTERVAL 1 HOUR,
            period = 'day', period_start + INTERVAL 1 DAY,
            period = 'week', period_start + INTERVAL 1 WEEK,
            period_start + INTERVAL 1 MONTH
        ),
        'UTC'
    ) AS period_end
FROM
(
    SELECT
        name,
        argMax((period, amount, applies_to, valid_from, who, why), (valid_from, added_at)) AS latest
    FROM budgets
    WHERE valid_from <= {at:DateTime('UTC')}
    GROUP BY name
    HAVING latest.2 IS NOT NULL
)
COMMENT 'Budgets that hold at a moment, with the period that it lies in; parameter at'
