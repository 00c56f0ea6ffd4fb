-- What are the figures of the range to the last digit? USD as text, each with how many attempts it lacks. Of attempts: all
-- spend and its parts. Of the tasks that began in the range: their spend, human work among it, and the same for each success,
-- rounded half to even at the ledger's twelve digits.
SELECT figure AS `figure`, amount AS `USD, exact`, doubtful AS `not fully priced`
FROM
(
    SELECT
        arrayJoin([
            (1, 'spend', ifNull(toString(known), '')),
            (2, 'input', ifNull(toString(input), '')),
            (3, 'cache reads', ifNull(toString(cache_read), '')),
            (4, 'cache writes', ifNull(toString(cache_write), '')),
            (5, 'output', ifNull(toString(output), '')),
            (6, 'tools', ifNull(toString(tools), ''))
        ]) AS line,
        line.1 AS place,
        line.2 AS figure,
        line.3 AS amount,
        doubtful
    FROM
    (
        SELECT
            sum(spend) AS known,
            sum(spend_input) AS input,
            sum(spend_cache_read) AS cache_read,
            sum(spend_cache_write) AS cache_write,
            sum(spend_output) AS output,
            sum(spend_tools) AS tools,
            sum(no_price + no_usage + partial) AS doubtful
        FROM @amounts($__fromTime_ms, $__toTime_ms, 0)
    )
    UNION ALL
    SELECT
        arrayJoin([
            (7, 'spend of tasks begun', ifNull(toString(known), '')),
            (
                8,
                'spend per success',
                ifNull(toString(
                    if(
                        successes > 0,
                        roundBankers(divideDecimal(known, toDecimal64(greatest(successes, 1), 0), 30), 12),
                        NULL
                    )
                ), '')
            )
        ]) AS line,
        line.1 AS place,
        line.2 AS figure,
        line.3 AS amount,
        doubtful
    FROM
    (
        SELECT sum(spend) AS known, sum(successes) AS successes, sum(doubts) AS doubtful
        FROM @tasks($__fromTime_ms, $__toTime_ms)
    )
)
ORDER BY place
