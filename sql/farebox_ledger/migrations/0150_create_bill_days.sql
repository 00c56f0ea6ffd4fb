-- How bills and ledger stand, by the latest check of each provider and day.
CREATE VIEW IF NOT EXISTS bill_days
(
    provider String COMMENT 'Who bills',
    day Date COMMENT 'Day as the provider counts it',
    currency String COMMENT 'Currency of the amounts',
    checked_at DateTime64(6, 'UTC') COMMENT 'When it was last checked',
    run String COMMENT 'Id of that check',
    state String COMMENT 'matched; under_recorded (billed more than the ledger has); over_recorded; not_comparable (another currency, or no price)',
    billed Nullable(Decimal(76, 20)) COMMENT 'What is billed; of a report of usage its value at the price book; NULL: not known',
    recorded Decimal(76, 20) COMMENT 'What the ledger says, after negotiated discounts',
    difference Nullable(Decimal(76, 20)) COMMENT 'Billed minus recorded; NULL: not known',
    unpriced_quantity Decimal(38, 12) COMMENT 'Units recorded that have no price, and so are not in recorded',
    reason String COMMENT 'The reason behind most of the difference; empty: there is none',
    reason_difference Nullable(Decimal(76, 20)) COMMENT 'What that reason makes of the difference; NULL: none, or no amount'
)
AS
WITH
    latest AS
    (
        SELECT
            provider,
            day,
            argMax(run, checked_at) AS run
        FROM bill_checks
        GROUP BY provider, day
    ),
    sums AS
    (
        SELECT
            provider,
            day,
            currency,
            any(checks.run) AS check_run,
            max(checks.checked_at) AS check_time,
            if(countIf(checks.billed IS NULL) > 0, NULL, sum(checks.billed)) AS bill,
            sum(checks.recorded) AS ledger,
            sum(checks.unpriced_quantity) AS unpriced,
            max(checks.tolerance) AS share
        FROM bill_checks AS checks
        WHERE (provider, day, checks.run) IN (SELECT provider, day, run FROM latest)
        GROUP BY provider, day, currency
    ),
    -- A later check may find nothing where a former did: only findings of the same run count.
    reasons AS
    (
        SELECT
            provider,
            day,
            currency,
            countIf(amount IS NULL) > 0 AS unknown,
            argMax(tuple(reason, amount), if(amount IS NULL, toDecimal256(0, 20), abs(assumeNotNull(amount)))) AS most
        FROM
        (
            SELECT
                provider,
                day,
                currency,
                reason,
                if(countIf(difference IS NULL) > 0, NULL, sum(difference)) AS amount
            FROM bill_findings
            WHERE (provider, day, run) IN (SELECT provider, day, run FROM latest)
            GROUP BY provider, day, currency, reason
        )
        GROUP BY provider, day, currency
    )
SELECT
    sums.provider AS provider,
    sums.day AS day,
    sums.currency AS currency,
    sums.check_time AS checked_at,
    sums.check_run AS run,
    multiIf(
        reasons.unknown OR sums.bill IS NULL, 'not_comparable',
        abs(assumeNotNull(sums.bill) - sums.ledger) <= multiplyDecimal(greatest(assumeNotNull(sums.bill), sums.ledger), sums.share, 20), 'matched',
        sums.bill > sums.ledger, 'under_recorded',
        'over_recorded'
    ) AS state,
    sums.bill AS billed,
    sums.ledger AS recorded,
    if(state = 'not_comparable', NULL, sums.bill - sums.ledger) AS difference,
    sums.unpriced AS unpriced_quantity,
    reasons.most.1 AS reason,
    reasons.most.2 AS reason_difference
FROM sums
LEFT JOIN reasons USING (provider, day, currency)
COMMENT 'How bills and ledger stand: one row a provider, day and currency, by its latest check'
