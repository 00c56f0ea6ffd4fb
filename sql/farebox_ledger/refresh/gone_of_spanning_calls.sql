-- How many calls of these hours have nothing any more, because a correction took it away?
SELECT count() AS gone
FROM spanning_calls FINAL
WHERE hour IN {hours:Array(DateTime('UTC'))} AND rolled_at < {now:DateTime64(6, 'UTC')}
