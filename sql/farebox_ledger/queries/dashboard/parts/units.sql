-- Units used in a period that the dashboard's variables let through, by row of the price; by the panel's interval if @fine and
-- the period is two days at most.
(
    SELECT
        toDateTime64(moment, 6, 'UTC') AS moment,
        * EXCEPT (moment)
    FROM units_between(
        since = toDateTime64(@since, 6, 'UTC'),
        until = toDateTime64(@until, 6, 'UTC'),
        by_tenant = if(@all(tenant), 0, 1),
        step_s = if((@fine) AND dateDiff('second', @since, @until) <= 172800, $__interval_s, 3600)
    )
    WHERE @chosen(route) AND @chosen(provider) AND @chosen(model) AND @chosen(tenant)
)
