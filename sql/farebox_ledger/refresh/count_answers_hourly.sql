-- Which answers of these hours were checked, and what was found, by each trait?
INSERT INTO answers_hourly
(
    by_tenant,
    tenant,
    trait,
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
    doubtful,
    rolled_at
)
SELECT
    by_tenant,
    tenant,
    trait_name AS trait,
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
    doubtful,
    {now:DateTime64(6, 'UTC')} AS rolled_at
FROM answer_sums(
    hours = {hours:Array(DateTime('UTC'))}, since = toDateTime64('1970-01-01', 6, 'UTC'), until = toDateTime64('2106-01-01', 6, 'UTC'),
    levels = [0, 1], traits = ['length', 'version', 'language', 'tool']
)
