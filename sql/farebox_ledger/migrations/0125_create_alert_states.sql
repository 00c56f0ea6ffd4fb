-- What became of alerts, as `farebox up` saw it: a row a change. The latest row of an alert says how it stands.
CREATE TABLE IF NOT EXISTS alert_states
(
    at DateTime64(3, 'UTC') COMMENT 'When it changed',
    rule LowCardinality(String) COMMENT 'Name of the rule',
    labels Map(LowCardinality(String), String) COMMENT 'What it is about: route, model, budget …',
    state LowCardinality(String) COMMENT 'pending (above the threshold, not for long enough), firing, calming (firing, but no more above it), resolved, or dropped (was pending, and is not above it any more)',
    since DateTime64(3, 'UTC') COMMENT 'When it was first above the threshold',
    value Float64 COMMENT 'What was held against the threshold, when last above it',
    facts Map(LowCardinality(String), Float64) COMMENT 'Other numbers of the message',
    severity LowCardinality(String) COMMENT 'page or ticket',
    summary String COMMENT 'What is wrong, in a sentence',
    told Bool COMMENT 'False: the webhook has not taken it yet',
    stored_at DateTime64(6, 'UTC') DEFAULT now64(6, 'UTC') COMMENT 'When the row was stored; of equal alerts and times the latest holds'
)
ENGINE = ReplacingMergeTree(stored_at)
ORDER BY (rule, labels, at, state)
TTL toDateTime(at) + INTERVAL 400 DAY
COMMENT 'Alerts that farebox up watches, one row a change; read with FINAL'
