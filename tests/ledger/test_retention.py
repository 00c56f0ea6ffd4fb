"""The ledger, traces and content are kept for as long as their own settings say."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from ledger.spans import attempt, store

from farebox_ledger import Store
from farebox_ledger._retention import KEPT, apply_retention


def days(ledger: Store, table: str) -> str:
    """Read when rows of a table are deleted."""
    ((engine,),) = ledger.client.query(
        "SELECT engine_full FROM system.tables WHERE database = currentDatabase() AND name = {name:String}",
        {"name": table},
    ).result_rows
    return engine.partition(" TTL ")[2].partition(" SETTINGS ")[0]


def test_by_default_the_ledger_stays_and_the_rest_goes(fresh_store: Store) -> None:
    """Attempts stay for good, traces for 30 days, content for 7."""
    assert days(fresh_store, "stored_attempts") == ""
    assert days(fresh_store, "otel_traces") == "toDateTime(Timestamp) + toIntervalDay(30)"
    assert days(fresh_store, "otel_logs") == "TimestampTime + toIntervalDay(7)"


def test_each_setting_is_its_own(fresh_store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A setting changes its own tables, once; 0 keeps for good."""
    monkeypatch.setenv("FAREBOX_TRACES_DAYS", "0")
    monkeypatch.setenv("FAREBOX_LEDGER_DAYS", "2000")
    changed = apply_retention(fresh_store.client)

    assert set(changed) == {name for name, (kept, _) in KEPT.items() if kept in ("traces_days", "ledger_days")}
    assert days(fresh_store, "otel_traces") == ""
    assert days(fresh_store, "adjustments") == "toDateTime(adjusted_at) + toIntervalDay(2000)"
    assert apply_retention(fresh_store.client) == []


def test_every_table_that_grows_with_calls_has_a_setting(fresh_store: Store) -> None:
    """Whatever keeps ids, users or traces is deleted in time."""
    tables = fresh_store.client.query(
        "SELECT DISTINCT table FROM system.columns WHERE database = currentDatabase() "
        "AND name IN ('trace_id', 'TraceId', 'user_id', 'span_id') AND table IN "
        "(SELECT name FROM system.tables WHERE database = currentDatabase() AND engine LIKE '%MergeTree')"
    ).result_rows

    # arrivals empties itself; decisions and moved duplicates are few, and must outlive what they are about
    assert {table for (table,) in tables} - set(KEPT) == {
        "annotations",
        "arrivals",
        "foreign_decisions",
        "moved_attempts",
    }


def test_old_traces_go_and_the_ledger_stays(fresh_store: Store) -> None:
    """A span of two months ago is in the ledger, and its trace is gone at the next merge."""
    old = datetime.now().astimezone() - timedelta(days=60)
    store(fresh_store.client, attempt(started_at=old))
    fresh_store.client.command("OPTIMIZE TABLE otel_traces FINAL")

    counts = "SELECT (SELECT count() FROM otel_traces), (SELECT count() FROM llm_attempts)"
    assert fresh_store.client.query(counts).result_rows == [(0, 1)]
