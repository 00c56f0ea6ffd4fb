-- Which budgets burn so fast that they are gone within a fifteenth of their period? Times the rate that would just use them
-- up, over the last hour and over its last five minutes, whichever is less; USD of what is known in that hour.
SELECT budget, burn AS value, spent, amount, not_priced
FROM @burn(3600, 300)
