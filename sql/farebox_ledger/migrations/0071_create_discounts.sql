-- The discounts laid out for looking up: a row for each stretch of time.
CREATE VIEW IF NOT EXISTS discounts
(
    provider String COMMENT 'Who bills',
    model String COMMENT 'Canonical model name; empty means every model that has no discount of its own',
    valid_from DateTime('UTC') COMMENT 'First second',
    valid_to DateTime('UTC') COMMENT 'Last second',
    factor Nullable(Decimal(18, 8)) COMMENT 'Share of the list price that is paid; NULL if the discount ended'
)
AS
WITH latest AS
(
    SELECT
        provider,
        model,
        valid_from,
        argMax(tuple(factor), added_at).1 AS factor
    FROM price_discounts
    GROUP BY provider, model, valid_from
)
SELECT
    provider,
    model,
    valid_from,
    leadInFrame(valid_from - 1, 1, toDateTime('2106-02-07 06:28:15', 'UTC')) OVER
    (
        PARTITION BY provider, model
        ORDER BY valid_from
        ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
    ) AS valid_to,
    factor
FROM latest
COMMENT 'Negotiated discounts, one row a stretch of time'
