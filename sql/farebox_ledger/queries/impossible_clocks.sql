-- How many attempts of the whole ledger bear a time that cannot be, and so stand in no recent period? A count.
SELECT count() AS attempts
FROM llm_attempts
WHERE started_at = toDateTime64('2020-01-01 00:00:00', 6, 'UTC') AND clock_impossible
