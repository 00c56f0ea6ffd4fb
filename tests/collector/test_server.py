"""With the ledger on a server, what is acknowledged outlives every outage of it, and a stop in the middle of one."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import clickhouse_connect
import farebox_up
import pytest
import requests
from collector.server_process import Server
from collector.test_up import refused
from farebox_up import Up, wait_until
from otlp_messages import attempt, traces

from farebox.checks import State
from farebox_ledger import parse_dsn
from farebox_ledger._doctor import _writable


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    made = Server(tmp_path_factory.mktemp("server"))
    yield made
    made.kill()


@pytest.fixture
def start(server: Server, tmp_path: Path) -> Iterator[Callable[[], Up]]:
    """Start `farebox up` on the server's ledger, its journal in the test's folder."""
    started: list[Up] = []

    def start_one() -> Up:
        started.append(farebox_up.start(tmp_path, dsn=server.dsn, journal=str(tmp_path / "journal")))
        return started[-1]

    yield start_one
    for up in started:
        up.end()


def stored(server: Server) -> list[object]:
    return [
        row[0] for row in server.rows("SELECT reinterpretAsUInt64(reverse(span_id)) AS n FROM llm_attempts ORDER BY n")
    ]


def test_outage(server: Server, start: Callable[[], Up]) -> None:
    """While the server is away spans are taken, a stop takes less than 5 s, and all is stored once it is back."""
    up = start()
    first = up.post(traces(attempt(1)).SerializeToString())
    wait_until(lambda: up.gauges()["journal_segments"] == 0, 60)
    server.kill()
    second = up.post(traces(attempt(2), attempt(3)).SerializeToString())
    wait_until(lambda: requests.get(up.otlp + "/readyz", timeout=10).status_code == 503, 60)
    began = time.monotonic()
    exit_code = up.stop()
    seconds = time.monotonic() - began
    server.start()
    again = start()
    third = again.post(traces(attempt(4)).SerializeToString())
    wait_until(lambda: again.gauges()["journal_segments"] == 0, 60)
    server.kill()
    fourth = again.post(traces(attempt(5)).SerializeToString())
    time.sleep(1.5)
    server.start()
    wait_until(lambda: again.gauges()["journal_segments"] == 0, 60)

    assert [each.status_code for each in (first, second, third, fourth)] == [200] * 4
    assert (exit_code, seconds < 5) == (0, True)
    assert stored(server) == [1, 2, 3, 4, 5]
    assert [line for line in again.errors if "takes no" in line or "again" in line]
    assert again.stop() == 0


def test_newer_schema(server: Server, tmp_path: Path) -> None:
    """A ledger that a newer farebox has migrated is refused with the remedy, and nothing is taken."""
    row = "9999, '9999_newer.sql', 'x', now64(6, 'UTC'), now64(6, 'UTC')"
    with clickhouse_connect.get_client(host="127.0.0.1", port=server.port, database="farebox") as client:
        client.command(f"INSERT INTO migrations (number, name, checksum, started, finished) SELECT {row}")
        said = refused("--dsn", server.dsn, "--otlp-port", "0", journal=str(tmp_path / "journal"))
        client.command("ALTER TABLE migrations DELETE WHERE number = 9999 SETTINGS mutations_sync = 1")

    assert "a newer farebox has migrated the ledger" in said
    assert "upgrade this one" in said


def test_the_doctor_says_whether_a_user_may_write(server: Server) -> None:
    """Of a server's ledger it asks the server whether the user that is given may insert."""
    found = _writable(parse_dsn(server.dsn))

    assert (found.state, found.sentence) == (State.FINE, "the server's user may write it")
