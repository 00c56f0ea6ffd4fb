-- Does a route spend far more than it usually does at this time? Robust deviations of its last ten minutes; for routes that
-- spend a dollar or more in ten minutes. A spike of three times is mostly seen within ten minutes.
SELECT route, deviations AS z
FROM @spike(600, 10800, 1)
