-- They go: a call that is there with nothing would still be one. Of those that were counted again, what they were before goes too.
DELETE FROM spanning_calls
WHERE hour IN {hours:Array(DateTime('UTC'))} AND rolled_at < {now:DateTime64(6, 'UTC')}
