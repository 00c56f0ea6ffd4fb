-- How many attempts of the range could not be priced, or not in full? Counts: no price in the book, no usage from the
-- provider, and cut responses of whose cost a lower bound is known.
SELECT
    sum(no_price) AS `no price`,
    sum(no_usage) AS `no usage`,
    sum(partial) AS `lower bound`
FROM @amounts($__fromTime_ms, $__toTime_ms, 0)
