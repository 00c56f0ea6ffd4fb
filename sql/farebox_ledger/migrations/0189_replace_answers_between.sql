-- Checked answers of any period by one trait: whole hours from the rollup, hours that are dirty or cut off counted now.
CREATE OR REPLACE VIEW answers_between
AS
WITH
    toStartOfHour({since:DateTime64(6, 'UTC')}) AS since_hour,
    toStartOfHour({until:DateTime64(6, 'UTC')}) AS last_hour,
    since_hour + if(since_hour = {since:DateTime64(6, 'UTC')}, 0, 3600) AS first_hour,
    (SELECT hours FROM dirty_hours) AS dirty,
    (
        SELECT arrayDistinct(arrayConcat(
            arrayFilter(each -> each >= first_hour AND each < last_hour, dirty),
            if(since_hour = first_hour, [], [since_hour]),
            if(last_hour = {until:DateTime64(6, 'UTC')}, [], [last_hour])
        ))
    ) AS counted_now
SELECT
    tenant,
    hour,
    route,
    provider,
    model,
    value,
    answers,
    bad,
    hedging_checked,
    hedging,
    overconfidence_checked,
    overconfidence,
    calls_checked,
    calls_malformed,
    counts,
    spend_bad,
    doubtful
FROM answers_hourly FINAL
WHERE by_tenant = {by_tenant:UInt8} AND trait = {trait:String} AND hour >= first_hour AND hour < last_hour AND hour NOT IN (dirty) AND answers > 0
UNION ALL
SELECT
    tenant,
    hour,
    route,
    provider,
    model,
    trait_value AS value,
    answers,
    bad,
    hedging_checked,
    hedging,
    overconfidence_checked,
    overconfidence,
    calls_checked,
    calls_malformed,
    counts,
    spend_bad,
    doubtful
FROM answer_sums(
    hours = counted_now, since = {since:DateTime64(6, 'UTC')}, until = {until:DateTime64(6, 'UTC')}, levels = [{by_tenant:UInt8}],
    traits = [{trait:String}]
)
COMMENT 'Checked answers of a period by a trait (length, version, language, tool): exact at every moment, and fast; columns as in answers_hourly; parameters since, until, by_tenant (1: each tenant by itself, else 0) and trait'
