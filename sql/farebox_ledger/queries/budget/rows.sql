-- What was decided of budgets, and by whom? One row a decision, of one name or of all, latest first; amounts in USD, NULL
-- ends the budget.
SELECT name, period, amount, applies_to, valid_from, who, why, added_at
FROM budgets
WHERE {name:String} = '' OR name = {name:String}
ORDER BY valid_from DESC, added_at DESC, name
