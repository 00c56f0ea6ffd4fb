-- Does a route spend far more than it usually does at this time? Robust deviations of its last hour, for quieter routes: from
-- a quarter of a dollar an hour above what is usual. A spike of three times is seen after 40 to 60 minutes.
SELECT route, deviations AS z
FROM @spike(3600, 21600, 0.25)
