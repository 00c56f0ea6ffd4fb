"""The ledger, traces and content are kept for as long as their own settings say."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

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
    assert days(fresh_store, "otel_traces") == "ReceivedAt + toIntervalDay(30)"
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


def test_the_age_of_a_trace_counts_from_when_it_came(fresh_store: Store) -> None:
    """A span of two months ago, or of 1970, that came today stays as long as any other."""
    for old in (datetime.now(UTC) - timedelta(days=60), datetime(1970, 1, 2, tzinfo=UTC)):
        store(fresh_store.client, attempt(started_at=old))
    fresh_store.client.command("OPTIMIZE TABLE otel_traces FINAL")

    assert fresh_store.client.query("SELECT count() FROM otel_traces").result_rows == [(2,)]


def test_what_is_too_old_goes(fresh_store: Store) -> None:
    """Content of two weeks ago is gone after the next merge."""
    fresh_store.client.command("INSERT INTO otel_logs (Timestamp) VALUES (now() - INTERVAL 14 DAY), (now())")
    fresh_store.client.command("OPTIMIZE TABLE otel_logs FINAL")

    assert fresh_store.client.query("SELECT count() FROM otel_logs").result_rows == [(1,)]
