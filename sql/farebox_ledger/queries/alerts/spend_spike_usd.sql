-- What did each route spend in the last ten minutes? USD of what is known, for the message of the alert.
SELECT route, current AS usd
FROM @spike(600, 10800, 1)
