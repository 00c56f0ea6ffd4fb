-- Answers of the range that were checked for failures and that the variables let through, by a value of the @trait: how many a
-- flag disqualifies, how many of those checked for it hedge or are overconfident, tool calls that are malformed, and what
-- disqualified answers cost. Families and rates are those of failure_rates.
(
    SELECT
        toString(answers_between.value) AS value,
        sum(answers_between.answers) AS answers,
        sum(answers_between.bad) AS bad,
        sum(answers_between.hedging_checked) AS hedging_checked,
        sum(answers_between.hedging) AS hedging,
        sum(answers_between.overconfidence_checked) AS overconfidence_checked,
        sum(answers_between.overconfidence) AS overconfidence,
        sum(answers_between.calls_checked) AS calls_checked,
        sum(answers_between.calls_malformed) AS calls_malformed,
        sumMap(answers_between.counts) AS counts,
        ifNull(arrayReverseSort(each -> (counts[each], each), mapKeys(counts))[1], '') AS top,
        sum(spend_bad) AS known,
        sum(answers_between.doubtful) AS doubtful
    FROM answers_between(
        since = toDateTime64($__fromTime_ms, 6, 'UTC'), until = toDateTime64($__toTime_ms, 6, 'UTC'), by_tenant = if(@all(tenant), 0, 1), trait = @trait
    ) AS answers_between
    WHERE @chosen(route) AND @chosen(provider) AND @chosen(model) AND @chosen(tenant)
    GROUP BY value
)
