-- What may be spent. Append-only: a later row of the same name holds from its valid_from on.
CREATE TABLE IF NOT EXISTS budgets
(
    name String COMMENT 'Name of the budget',
    period LowCardinality(String) COMMENT 'hour, day, week (from Monday) or month, UTC',
    amount Nullable(Decimal(38, 12)) COMMENT 'USD that may be spent in a period; NULL ends the budget',
    applies_to Map(LowCardinality(String), String) COMMENT 'Columns of llm_attempts and the values they must have: route, model, tenant, user_id …; empty: everything',
    valid_from DateTime('UTC') COMMENT 'First second it applies to',
    who String COMMENT 'Who set it',
    why String COMMENT 'Why; empty: nothing to say',
    added_at DateTime64(6, 'UTC') DEFAULT now64(6, 'UTC') COMMENT 'When the row was added; of equal name and valid_from the latest holds',
    CONSTRAINT period_is_known CHECK period IN ('hour', 'day', 'week', 'month'),
    CONSTRAINT amount_is_sane CHECK amount IS NULL OR amount >= 0
)
ENGINE = MergeTree
ORDER BY (name, valid_from, added_at)
COMMENT 'Budgets: USD in a period for a part of the ledger, each from a date on'
