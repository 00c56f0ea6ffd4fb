-- Which budgets burn several times too fast for hours? Times the rate that would just use them up, over the last six hours and
-- over their last thirty minutes, whichever is less; USD of what is known in the six hours.
SELECT budget, burn AS value, spent, amount, not_priced
FROM @burn(21600, 1800)
