-- How often did each route fail in each way? One row a route, the most answers first; of the answers that were checked for it,
-- malformed calls of the tool calls, `not ok` (timeouts, errors, limits) of all attempts. Shares from 0 to 1; NULL: none was
-- checked. The intervals are in the table of failures by class.
SELECT
    attempted.route AS `route`,
    attempted.attempts AS `attempts`,
    attempted.not_ok / attempted.attempts AS `not ok`,
    found.`refusal` AS `refusal`,
    found.`clarification` AS `clarification`,
    found.`disclaimer` AS `disclaimer`,
    found.`malformed call` AS `malformed call`,
    found.`call in text` AS `call in text`,
    found.`truncated` AS `truncated`,
    found.`empty` AS `empty`,
    found.`loop` AS `loop`,
    found.`unknown import` AS `unknown import`,
    found.`unknown attribute` AS `unknown attribute`,
    found.`unexpected argument` AS `unexpected argument`,
    found.`broken limit` AS `broken limit`,
    found.`unsupported citation` AS `unsupported citation`,
    found.`wrong language` AS `wrong language`
FROM
(
    SELECT toString(route) AS route, sum(made.attempts) AS attempts, sum(made.attempts - made.ended_ok) AS not_ok
    FROM @amounts($__fromTime_ms, $__toTime_ms, 0) AS made
    GROUP BY route
    HAVING attempts > 0
) AS attempted
LEFT JOIN
(
    SELECT
        route,
        anyIf(rate, failure = 'refusal') AS `refusal`,
        anyIf(rate, failure = 'clarification') AS `clarification`,
        anyIf(rate, failure = 'disclaimer') AS `disclaimer`,
        anyIf(rate, failure = 'tool_call_malformed') AS `malformed call`,
        anyIf(rate, failure = 'tool_call_in_text') AS `call in text`,
        anyIf(rate, failure = 'truncated') AS `truncated`,
        anyIf(rate, failure = 'empty') AS `empty`,
        anyIf(rate, failure = 'loop') AS `loop`,
        anyIf(rate, failure = 'unknown_import') AS `unknown import`,
        anyIf(rate, failure = 'unknown_stdlib_attr') AS `unknown attribute`,
        anyIf(rate, failure = 'unexpected_arg') AS `unexpected argument`,
        anyIf(rate, failure = 'constraint_violation') AS `broken limit`,
        anyIf(rate, failure = 'unsupported_citation') AS `unsupported citation`,
        anyIf(rate, failure = 'language_mismatch') AS `wrong language`
    FROM @query(failure_rates, route)
    WHERE total = 0
    GROUP BY route
) AS found ON found.route = attempted.route
ORDER BY attempted.attempts DESC, attempted.route
LIMIT 100
SETTINGS join_use_nulls = 1
