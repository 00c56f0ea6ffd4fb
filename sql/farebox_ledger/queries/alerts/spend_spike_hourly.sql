-- Does a quiet route spend far more than it usually does at this time? Robust deviations of its last twelve to sixty minutes,
-- from a quarter of a dollar above what is usual; 0 for routes of a dollar in ten minutes, which the quicker rule watches.
SELECT
    route,
    if(expected < 6, deviations, 0) AS value,
    spent,
    expected,
    spent / greatest(expected, 0.01) AS times,
    usd_a_call_times,
    not_priced
FROM @spike(360, 10800, 0.25)
