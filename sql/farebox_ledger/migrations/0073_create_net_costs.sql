-- What is paid after negotiated discounts, beside the list price, which never changes with them.
CREATE VIEW IF NOT EXISTS net_costs
(
    started_at DateTime64(6, 'UTC') COMMENT 'When the attempt began',
    trace_id FixedString(16) COMMENT 'Trace id',
    span_id FixedString(8) COMMENT 'Span id',
    route String COMMENT 'Tag route',
    provider String COMMENT 'Who bills',
    model String COMMENT 'Canonical model name',
    list_cost Nullable(Decimal(38, 12)) COMMENT 'USD at list price; NULL: not known, see price_state',
    factor Decimal(18, 8) COMMENT 'Share of the list price that is paid; 1 without a discount',
    net_cost Nullable(Decimal(76, 20)) COMMENT 'USD after the discount, the exact product; NULL as list_cost',
    price_state String COMMENT 'priced, no_price, no_usage, partial (a lower bound) or free',
    price_reason String COMMENT 'Why it is not priced, or what was assumed; empty: nothing to say'
)
AS
SELECT
    started_at,
    trace_id,
    span_id,
    route,
    provider,
    model,
    list_cost,
    coalesce(
        dictGetOrNull('discount', 'factor', (provider, model), toDateTime(started_at, 'UTC')),
        dictGetOrNull('discount', 'factor', (provider, ''), toDateTime(started_at, 'UTC')),
        toDecimal64(1, 8)
    ) AS factor,
    multiplyDecimal(list_cost, factor, 20) AS net_cost,
    price_state,
    price_reason
FROM llm_attempts
COMMENT 'One row a billed thing: its list price, and what is paid of it after discounts'
