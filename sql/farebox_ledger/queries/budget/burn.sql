-- How much of each budget is spent at a moment, and what will it come to by the end of its period? USD; `burn` and
-- `forecast_burn` are shares of the amount, NULL where that is 0. spend is what is known, so at least that much if unpriced
-- or partial is above 0, and NULL where nothing is known; `state` is within, at_risk (the forecast is above the amount),
-- exhausted, unknown, or unreadable (the budget names what no attempt has). The most burnt first.
SELECT
    name,
    period,
    scope,
    applies_to,
    amount,
    period_start,
    period_end,
    spend,
    unpriced,
    partial,
    remaining,
    burn,
    forecast,
    forecast_burn,
    state,
    valid_from,
    who,
    why
FROM budget_burn(at = {at:DateTime('UTC')})
WHERE {name:String} = '' OR name = {name:String}
ORDER BY burn DESC NULLS FIRST, name
