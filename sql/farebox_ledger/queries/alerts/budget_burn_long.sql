-- Which budgets burn faster than they last, for days? Times the rate that would just use them up, over the last three days and
-- over their last six hours, whichever is less; USD of what is known in the three days.
SELECT budget, burn AS value, spent, amount, not_priced
FROM @burn(259200, 21600)
