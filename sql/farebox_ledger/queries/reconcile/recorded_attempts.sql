-- How many attempts does the ledger hold of some providers, by hour, scope, model and tier, and of how many does it not know all
-- usage?
SELECT
    toStartOfHour(started_at) AS hour,
    provider,
    workspace,
    project,
    key_fingerprint AS key,
    model,
    tier,
    countIf(usage_state = 'reported') AS reported,
    countIf(usage_state = 'missing') AS missing,
    countIf(usage_state = 'partial') AS cut
FROM llm_charges
WHERE started_at >= {since:DateTime64(6, 'UTC')} AND started_at < {until:DateTime64(6, 'UTC')} AND provider IN {providers:Array(String)} AND line = 1
GROUP BY hour, provider, workspace, project, key, model, tier
