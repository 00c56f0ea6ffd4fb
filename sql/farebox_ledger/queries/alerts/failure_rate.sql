-- Do attempts of a route fail more often than they did, and how? Standard deviations of the share that failed in the last
-- hour over the share before, by route and kind of failure; shares are from 0 to 1, USD of what is known.
SELECT route, failure, deviations AS value, failed_now AS failed, share_now, share_before, usd_now AS spent
FROM @judged(5)
WHERE failure != 'tool_call_malformed'
