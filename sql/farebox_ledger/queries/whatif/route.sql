-- Which families of flags make an answer of a route a failure, at a moment? One row.
SELECT
    arrayMap(
        each -> toString(each),
        dictGet(
            'route_setting',
            'disqualifying',
            if(dictHas('route_setting', {route:String}, toDateTime({at:DateTime64(6, 'UTC')})), {route:String}, '*'),
            toDateTime({at:DateTime64(6, 'UTC')})
        )
    ) AS disqualifying
