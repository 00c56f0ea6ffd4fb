-- Which marks did people set on the axis of time: deployments, incidents, new prompts? Of the chosen routes, and of all.
SELECT
    at AS time,
    concat(text, if(annotations.route = '', '', concat(' (', annotations.route, ')')), if(who = '', '', concat(', by ', who))) AS text,
    if(kind = '', 'Mark', concat(upper(substring(kind, 1, 1)), substring(kind, 2))) AS title,
    if(kind = '', 'mark', toString(kind)) AS tags
FROM annotations FINAL
WHERE at >= $__fromTime_ms AND at < $__toTime_ms AND (annotations.route = '' OR @chosen(annotations.route))
ORDER BY time, text
LIMIT 500
