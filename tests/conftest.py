"""Fixtures of all rooms: a clean environment, and one embedded ClickHouse for the whole run."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

    from farebox_ledger import Dsn, Store

_numbers = count(1)

# Machines are slow at times; a property is about what holds, not how fast.
settings.register_profile("farebox", deadline=None)
settings.load_profile("farebox")


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test depends on the FAREBOX_ and OTEL_ variables of the shell that runs it."""
    for name in [name for name in os.environ if name.startswith(("FAREBOX_", "OTEL_")) and name != "FAREBOX_SHARED"]:
        monkeypatch.delenv(name)
    monkeypatch.setattr("farebox.settings.LOOK_S", 0.0)


@pytest.fixture(scope="session")
def ledger_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The one folder that the embedded ClickHouse of this process may open."""
    return tmp_path_factory.mktemp("ledger")


@pytest.fixture(scope="session")
def _shared_store(ledger_folder: Path) -> Iterator[Store]:
    from farebox_ledger import Dsn, open_store

    with open_store(Dsn("chdb", path=ledger_folder)) as store:
        yield store


@pytest.fixture(scope="session")
def ledger_client(_shared_store: Store) -> Client:
    """A client of a migrated, priced database that the whole run shares; add rows under ids of your own."""
    return _shared_store.client


@pytest.fixture
def fresh_dsn(_shared_store: Store) -> Iterator[Dsn]:
    """The address of a database that does not exist yet, in the shared ClickHouse; dropped after the test."""
    dsn = replace(_shared_store.dsn, database=f"test_{next(_numbers)}")
    yield dsn
    _shared_store.client.command(f"DROP DATABASE IF EXISTS {dsn.database} SYNC")


@pytest.fixture
def fresh_store(fresh_dsn: Dsn) -> Iterator[Store]:
    """A store of its own for one test: migrated, priced, empty."""
    from farebox_ledger import open_store

    with open_store(fresh_dsn) as store:
        yield store
