"""What clients and people report beside calls becomes rows of its own, once."""

from __future__ import annotations

import pytest
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError
from ledger.spans import NOW, Span, store

from farebox_ledger import Store


def test_health_of_clients_is_kept(fresh_store: Store) -> None:
    """Counts under farebox.health. become a map; what is no whole number is left out, a copy counts once."""
    texts = {
        "farebox.instance": "i1",
        "farebox.health.dropped": "3",
        "farebox.health.recorded": "17",
        "farebox.health.bad": "-1",
    }
    span = Span(texts, name="farebox.health")
    store(fresh_store.client, span)
    store(fresh_store.client, span)

    assert fresh_store.client.query(
        "SELECT reported_at, service, instance, counts FROM client_health FINAL"
    ).result_rows == [(NOW, "shop", "i1", {"dropped": 3, "recorded": 17})]


def test_annotations_are_kept(fresh_store: Store) -> None:
    """A mark on the axis of time has its moment, kind, text and author."""
    texts = {
        "farebox.annotation.kind": "deploy",
        "farebox.annotation.text": "v7 out",
        "farebox.annotation.who": "ann",
        "farebox.route": "easy",
    }
    store(fresh_store.client, Span(texts, name="farebox.annotation"))
    store(fresh_store.client, Span(texts, name="farebox.annotation", scope="somebody else"))

    assert fresh_store.client.query("SELECT at, kind, text, route, who FROM annotations FINAL").result_rows == [
        (NOW, "deploy", "v7 out", "easy", "ann")
    ]


def test_reports_are_no_attempts(fresh_store: Store) -> None:
    """Outcomes, health and annotations never stand in the ledger."""
    names = ("farebox.outcome", "farebox.health", "farebox.annotation")
    store(fresh_store.client, *(Span({"farebox.task": "t"}, name=name) for name in names))

    assert fresh_store.client.query("SELECT count() FROM llm_attempts").result_rows == [(0,)]


@pytest.mark.parametrize(
    ("table", "columns", "row"),
    [
        ("budgets", "name, period, amount, valid_from", "'b', 'fortnight', 1, 0"),
        ("budgets", "name, period, amount, valid_from", "'b', 'day', -1, 0"),
    ],
)
def test_a_budget_that_cannot_be_is_refused(ledger_client: Client, table: str, columns: str, row: str) -> None:
    """A period nobody knows and an amount below zero are refused when they are set."""
    with pytest.raises(ClickHouseError):
        ledger_client.command(f"INSERT INTO {table} ({columns}) VALUES ({row})")
