-- Does a route spend far more than it usually does at this time? Robust deviations of its last two to ten minutes, from 75
-- cents above what is usual. A spike of three times on a route of a dollar in ten minutes is seen after three to eight.
SELECT route, deviations AS value, spent, expected, spent / greatest(expected, 0.01) AS times, usd_a_call_times, not_priced
FROM @spike(60, 7200, 0.75)
