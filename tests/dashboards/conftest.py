"""A ledger with nine days of seeded traffic: most of it in rollups, the last day still waiting for them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from dashboards.fake_grafana import TOKEN, FakeGrafana, fake_grafana
from dashboards.traffic import (
    DAY,
    UNTIL,
    Made,
    deployment,
    insert_collector_health,
    insert_what_is_decided,
    make_traffic,
    report_of,
    reports,
    set_new_price,
    spans,
    traced,
)
from ledger.spans import store

from farebox_ledger import Dsn, Store, open_store, refresh_all


@pytest.fixture(scope="session")
def traffic() -> list[Made]:
    """The attempts of nine days."""
    return make_traffic()


@pytest.fixture(scope="session")
def busy(ledger_folder, ledger_client, traffic) -> Iterator[Store]:
    """A ledger with that traffic; no test writes to it."""
    with open_store(Dsn("chdb", "dashboards", path=ledger_folder)) as opened:
        set_new_price(opened.client)
        store(opened.client, *spans(each for each in traffic if each.started_at < UNTIL - DAY))
        refresh_all(opened.client)
        store(
            opened.client, *spans(each for each in traffic if each.started_at >= UNTIL - DAY), deployment(), *reports()
        )
        store(opened.client, report_of(traced(traffic)))
        insert_collector_health(opened.client)
        insert_what_is_decided(opened.client)
        yield opened
        opened.client.command("DROP DATABASE dashboards SYNC")


@pytest.fixture
def grafana(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeGrafana]:
    """A Grafana with nothing in it, named by the environment."""
    with fake_grafana() as running:
        monkeypatch.setenv("GRAFANA_URL", running.url)
        monkeypatch.setenv("GRAFANA_TOKEN", TOKEN)
        yield running
