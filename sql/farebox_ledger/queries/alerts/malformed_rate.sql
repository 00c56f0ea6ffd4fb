-- Are more tool calls of a route malformed than were before? Standard deviations of the share in the last hour over the share
-- before, by route; shares are from 0 to 1 of the tool calls that were checked, USD of what is known.
SELECT route, deviations AS value, failed_now AS failed, share_now, share_before, usd_now AS spent
FROM @judged(5)
WHERE failure = 'tool_call_malformed'
