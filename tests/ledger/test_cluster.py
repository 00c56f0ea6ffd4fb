"""The schema for a cluster is written by rule from the same migrations; ClickHouse parses it, nobody has run it."""

from __future__ import annotations

import re

import pytest
from clickhouse_connect.driver.client import Client

from farebox_ledger._cluster import EVERYWHERE, for_cluster
from farebox_ledger._migrate import migrations

STATEMENTS = for_cluster(migrations(), "calls")


@pytest.mark.parametrize("statement", STATEMENTS, ids=lambda text: re.sub(r"--.*\n", "", text).split("\n")[0][:70])
def test_clickhouse_parses_every_statement(ledger_client: Client, statement: str) -> None:
    """ClickHouse's own parser takes the statement, and it is for the whole cluster."""
    ((formatted,),) = ledger_client.query("SELECT formatQuery({sql:String})", {"sql": statement}).result_rows

    assert "ON CLUSTER calls" in formatted or "ON CLUSTER 'calls'" in formatted


def test_every_table_is_replicated_and_spread_by_trace() -> None:
    """No table is left on one machine; attempts, spans and duplicates of equal ids meet on one shard."""
    code = "\n".join(STATEMENTS)
    plain = re.findall(r"^ENGINE = (?!Replicated|Distributed|Null)\w+", code, re.MULTILINE)
    spread = dict(re.findall(r"Distributed\('calls', currentDatabase\(\), (\w+)_local, (.*)\)", code))

    assert plain == []
    assert {spread[name] for name in ("stored_attempts", "attempt_hours", "moved_attempts")} == {"cityHash64(trace_id)"}
    assert spread["otel_traces"] == "cityHash64(TraceId)"
    assert not EVERYWHERE & set(spread)


def test_materialized_views_stay_on_their_shard() -> None:
    """What is inserted on a shard is priced and stored there."""
    views = [text for text in STATEMENTS if "CREATE MATERIALIZED VIEW" in text]

    changed = [text for text in STATEMENTS if "MODIFY QUERY" in text]

    assert views
    assert not any("_mv_local" in text for text in changed)
    for view in views + changed:
        targets = re.findall(r"\bTO (\w+)", view)
        assert all(name.endswith("_local") or name in EVERYWHERE for name in targets)
        assert re.search(r"\bFROM (otel_traces|stored_attempts|attempts_unpriced|task_outcomes)_local\b", view)
