-- How many calls of the period that other instrumentations report are undecided, and so in no money yet? A count.
SELECT count() AS pending
FROM foreign_attempts
WHERE decision = 'pending'
    AND started_at >= {since:DateTime64(6, 'UTC')}
    AND started_at < {until:DateTime64(6, 'UTC')}
    AND ({route:String} = '' OR route = {route:String})
    AND ({model:String} = '' OR request_model = {model:String})
