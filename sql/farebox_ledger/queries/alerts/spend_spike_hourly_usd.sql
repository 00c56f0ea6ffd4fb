-- What did each route spend in the last hour? USD of what is known, for the message of the alert.
SELECT route, current AS usd
FROM @spike(3600, 21600, 0.25)
