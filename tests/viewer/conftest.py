"""The viewer over two ledgers: one with a day of seeded traffic, and one in which nothing has arrived."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any

import pytest
import requests
from dashboards.traffic import DAY, HOUR, UNTIL, Made, deployment, make_traffic, set_new_price, spans
from farebox_up import wait_until
from ledger.spans import store
from starlette.types import ASGIApp

from farebox_collector._http import Server, listen
from farebox_collector._reader import Reader
from farebox_collector._tables import Tables
from farebox_collector._viewer import ask_embedded
from farebox_dashboards import DASHBOARDS
from farebox_dashboards._macros import ALL
from farebox_dashboards.viewer import serve
from farebox_ledger import Dsn, Store, open_store, refresh_all

SINCE = UNTIL - DAY


@dataclass
class Viewer:
    """A viewer that listens, and a client that asks it as its page does."""

    url: str
    headers: dict[str, str] = field(default_factory=dict)

    def get(self, path: str, **headers: str) -> requests.Response:
        """Ask with GET; header names have hyphens for underscores."""
        return requests.get(self.url + path, headers=_headers(headers), timeout=30, allow_redirects=False)

    def post(self, path: str, body: Any, **headers: str) -> requests.Response:
        """Send JSON."""
        return requests.post(self.url + path, json=body, headers=_headers(headers), timeout=60)

    def question(self, dashboard: str = "farebox-overview", **more: Any) -> dict[str, Any]:
        """Make the body of a question about the last day of the traffic, with everything chosen."""
        return {"dashboard": dashboard, "from": milliseconds(SINCE), "to": milliseconds(UNTIL), "interval": 600_000,
                "variables": chosen(dashboard)} | more  # fmt: skip

    def panel(self, dashboard: str, title: str, **more: Any) -> list[dict[str, Any]]:
        """Ask for a panel by its title and give its frames."""
        answer = self.post("/api/panel", self.question(dashboard, panel=self.number(dashboard, title), **more))
        assert answer.status_code == 200, answer.text
        frames: list[dict[str, Any]] = answer.json()["frames"]
        return frames

    def number(self, dashboard: str, title: str) -> int:
        """Find a panel by its title."""
        panels = self.get(f"/api/dashboards/{dashboard}").json()["panels"]
        (found,) = [each["id"] for each in panels if each["title"] == title and each["type"] != "row"]
        return int(found)


@cache
def _variables(uid: str) -> dict[str, list[str] | str]:
    (board,) = [each for each in DASHBOARDS if each.uid == uid] or [DASHBOARDS[0]]
    listed = board.as_data()["templating"]["list"]
    return {each["name"]: [ALL] if each.get("includeAll") else "" for each in listed if each["type"] != "datasource"}


def chosen(uid: str) -> dict[str, list[str] | str]:
    """Choose everything of each variable of a dashboard, and nothing of what is typed."""
    return dict(_variables(uid))


def _headers(given: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in given.items()}


def milliseconds(moment: datetime) -> int:
    """Write a moment as the page does."""
    return round(moment.timestamp() * 1000)


@contextmanager
def serving(dsn: Dsn, token: str = "") -> Iterator[Viewer]:
    """Serve the viewer of a ledger that this process has open, on a thread of its own."""
    reader = Reader(dsn.folder)
    try:
        tables = Tables(dsn.folder, dsn.database)
        with serving_app(serve(ask_embedded(reader, dsn.database), token, tables)) as running:
            yield running
    finally:
        reader.close(5)


@contextmanager
def serving_app(app: ASGIApp) -> Iterator[Viewer]:
    """Serve an application from this process."""
    with ExitStack() as stack:
        server = Server(app, stack.enter_context(listen(0, "--port")), ["*"])
        thread = threading.Thread(target=asyncio.run, args=(server.run_until_stopped(),))
        thread.start()
        stack.callback(thread.join)
        stack.callback(server.stop)
        wait_until(lambda: server.started)
        yield Viewer(f"http://127.0.0.1:{server.port}")


@pytest.fixture(scope="session")
def viewed_traffic() -> list[Made]:
    """The attempts of the last day, and of an hour before."""
    return [each for each in make_traffic() if each.started_at >= SINCE - HOUR]


@pytest.fixture(scope="session")
def seeded(ledger_folder, ledger_client, viewed_traffic) -> Iterator[Store]:
    """A ledger with that traffic, worked through."""
    with open_store(Dsn("chdb", "viewer", path=ledger_folder)) as opened:
        set_new_price(opened.client)
        store(opened.client, *spans(viewed_traffic), deployment())
        refresh_all(opened.client)
        yield opened
        opened.client.command("DROP DATABASE viewer SYNC")


@pytest.fixture(scope="session")
def viewer(seeded: Store) -> Iterator[Viewer]:
    """The viewer over that ledger."""
    with serving(seeded.dsn) as running:
        yield running


@pytest.fixture(scope="session")
def empty_viewer(ledger_folder, ledger_client) -> Iterator[Viewer]:
    """The viewer over a ledger in which nothing has arrived."""
    with open_store(Dsn("chdb", "viewer_empty", path=ledger_folder)) as opened:
        with serving(opened.dsn) as running:
            yield running
        opened.client.command("DROP DATABASE viewer_empty SYNC")


@pytest.fixture
def guarded(seeded: Store) -> Iterator[Viewer]:
    """The viewer with a token."""
    with serving(seeded.dsn, "s3cret") as running:
        yield running
