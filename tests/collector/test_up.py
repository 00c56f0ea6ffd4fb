"""`farebox up` as a process: nothing acknowledged is lost, nothing counts twice, and it ends as it is told."""

from __future__ import annotations

import signal
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import requests
from end_to_end.disks import disk
from farebox_up import COMMAND, Up, environment, wait_until
from otlp_messages import attempt, traces

BATCH = 20
COST_OF_ONE = "0.0015"  # Claude Haiku 4.5: 1000 input tokens at 1 USD and 100 output tokens at 5 USD a million


class Client(threading.Thread):
    """Sends batches of attempts one after the other, each until it is acknowledged, and books what was.

    A batch whose answer did not come is sent again, byte for byte, as exporters do.
    """

    def __init__(self, first: int, address: Callable[[], str]) -> None:
        super().__init__(daemon=True)
        self.acknowledged: list[int] = []
        self.unanswered: list[int] = []
        self.stopping = False
        self._next = first
        self._address = address

    def run(self) -> None:
        with requests.Session() as session:
            while not self.stopping:
                numbers = list(range(self._next, self._next + BATCH))
                self._next += BATCH
                body = traces(*map(attempt, numbers)).SerializeToString()
                self.unanswered = numbers
                while not self.stopping:
                    if self._send(session, body):
                        self.acknowledged += numbers
                        self.unanswered = []
                        break
                    time.sleep(0.05)

    def _send(self, session: requests.Session, body: bytes) -> bool:
        headers = {"Content-Type": "application/x-protobuf"}
        try:
            answer = session.post(self._address() + "/v1/traces", data=body, headers=headers, timeout=20)
        except requests.RequestException:
            return False
        return answer.status_code == 200


def refused(*arguments: str, **settings: str) -> str:
    """Run `farebox up` that cannot start; gives the one sentence it says."""
    ended = subprocess.run(
        [*COMMAND, *arguments], env=environment(**settings), capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.returncode == 2
    assert ended.stderr.startswith("farebox: ")
    assert ended.stderr.count("\n") == 1
    return ended.stderr


def books(up: Up, clients: list[Client]) -> None:
    """Hold the ledger against what the clients booked: each acknowledged attempt once, to the last digit."""
    acknowledged = sorted(number for client in clients for number in client.acknowledged)
    unanswered = {number for client in clients for number in client.unanswered}
    names, count, cost, unpriced = up.rows(
        "SELECT groupArray(hex(span_id)), count(), toString(sum(list_cost)), "
        "countIf(list_cost IS NULL) FROM llm_attempts"
    )[0]
    in_ledger = sorted(int(name, 16) for name in names)

    assert len(in_ledger) == len(set(in_ledger)) == count
    assert set(acknowledged) - set(in_ledger) == set()
    assert set(in_ledger) - set(acknowledged) <= unanswered
    assert unpriced == 0
    assert float(cost) == pytest.approx(count * float(COST_OF_ONE), rel=1e-12)


def test_killed_again_and_again(start_up: Callable[..., Up], tmp_path: Path) -> None:
    """Killed without warning under load and started again, it has every acknowledged attempt exactly once."""
    up = start_up(tmp_path / "ledger")
    address = [up.otlp]
    clients = [Client(1_000_000 * each, lambda: address[0]) for each in range(1, 5)]
    for client in clients:
        client.start()
    for round_ in range(4):
        target = sum(len(client.acknowledged) for client in clients) + 100 + 60 * round_
        wait_until(lambda target=target: sum(len(client.acknowledged) for client in clients) >= target)  # type: ignore[misc]
        up.stop(signal.SIGKILL)
        up = start_up(tmp_path / "ledger")
        address[0] = up.otlp
    total = sum(len(client.acknowledged) for client in clients)
    wait_until(lambda: sum(len(client.acknowledged) for client in clients) > total + 100)
    for client in clients:
        client.stopping = True
    for client in clients:
        client.join()

    books(up, clients)
    assert up.stop() == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_stopped_under_load(start_up: Callable[..., Up], tmp_path: Path, number: int) -> None:
    """Stopped under load it ends in time with exit code 0, and every answer it gave holds."""
    up = start_up(tmp_path / "ledger")
    clients = [Client(1_000_000 * each, lambda: up.otlp) for each in range(1, 5)]
    for client in clients:
        client.start()
    wait_until(lambda: all(client.acknowledged for client in clients))
    began = time.monotonic()
    exit_code = up.stop(number)
    seconds = time.monotonic() - began
    for client in clients:
        client.stopping = True
    for client in clients:
        client.join()

    assert exit_code == 0
    assert seconds < 5
    assert "Traceback" not in "".join(up.errors)
    again = start_up(tmp_path / "ledger")
    books(again, clients)
    assert again.stop() == 0


def test_stopped_with_a_statement_running(start_up: Callable[..., Up], tmp_path: Path) -> None:
    """A long statement does not hold up the end; its client is told that it was cancelled."""
    up = start_up(tmp_path / "ledger")
    answers: list[requests.Response] = []
    sql = "SELECT max(sipHash64(number)) FROM numbers(1000000000000)"
    asking = threading.Thread(
        target=lambda: answers.append(
            requests.get(f"http://127.0.0.1:{up.clickhouse_port}/", {"query": sql}, timeout=20)
        )
    )
    asking.start()
    wait_until(lambda: up.rows("SELECT count() FROM system.processes WHERE query LIKE '%sipHash64%'")[0][0] > 1)
    began = time.monotonic()
    exit_code = up.stop()
    seconds = time.monotonic() - began
    asking.join()

    assert exit_code == 0
    assert seconds < 5
    assert "QUERY_WAS_CANCELLED" in answers[0].text


def test_second_interrupt(start_up: Callable[..., Up], tmp_path: Path) -> None:
    """A second Ctrl-C ends it at once."""
    up = start_up(tmp_path / "ledger")
    sql = "SELECT max(sipHash64(number)) FROM numbers(1000000000000)"
    asking = threading.Thread(target=up.rows, args=(sql,), daemon=True)
    with pytest.raises(requests.RequestException):
        requests.get(f"http://127.0.0.1:{up.clickhouse_port}/", {"query": sql}, timeout=0.5)
    up.process.send_signal(signal.SIGINT)
    time.sleep(0.2)
    began = time.monotonic()
    exit_code = up.stop(signal.SIGINT)

    assert exit_code == 130
    assert time.monotonic() - began < 0.5
    assert not asking.is_alive()


def test_folder_held(up: Up) -> None:
    """A second `farebox up` on the same folder names the folder and the process that holds it."""
    said = refused("--dsn", f"chdb:{up.folder}", "--otlp-port", "0", "--clickhouse-port", "0")

    assert f"{up.folder} is held by process {up.process.pid}" in said
    assert up.post(traces().SerializeToString()).status_code == 200


def test_ports_taken(up: Up, tmp_path: Path) -> None:
    """A port in use is named with the option that chooses another, and no ledger is made."""
    folder = tmp_path / "ledger"
    otlp_port = up.otlp.rpartition(":")[2]
    at_otlp = refused("--dsn", f"chdb:{folder}", "--otlp-port", otlp_port)
    at_clickhouse = refused("--dsn", f"chdb:{folder}", "--otlp-port", "0", "--clickhouse-port", str(up.clickhouse_port))

    assert f"port {otlp_port} is taken" in at_otlp
    assert "--otlp-port" in at_otlp
    assert f"port {up.clickhouse_port} is taken" in at_clickhouse
    assert "--clickhouse-port" in at_clickhouse
    assert not folder.exists()


@pytest.mark.parametrize(
    ("arguments", "settings", "words"),
    [
        (["--dsn", "postgres://x"], {}, "postgres://x"),
        (["--dsn", "clickhouse://127.0.0.1:1/farebox"], {}, "does not answer"),
        (["--dsn", "chdb:/proc/nowhere"], {}, "/proc/nowhere cannot be written"),
        (["--otlp-port", "http"], {}, "--otlp-port='http' is not a port"),
        ([], {"dsn": "chdb:"}, "chdb:"),
        ([], {"body_bytes_max": "0"}, "FAREBOX_BODY_BYTES_MAX='0'"),
    ],
)
def test_misuse(arguments: list[str], settings: dict[str, str], words: str) -> None:
    """What cannot be is one sentence that names the value."""
    assert words in refused("--otlp-port", "0", "--clickhouse-port", "0", *arguments, **settings)


def test_full_disk_at_the_start(start_up: Callable[..., Up], tmp_path: Path) -> None:
    """On a full disk it does not start, says why in a sentence, and starts once there is room."""
    (tmp_path / "small").mkdir()
    with disk(tmp_path / "small") as small:
        if small.kind == "none":
            pytest.skip("a disk of one's own needs root on Linux")
        folder = small.folder / "ledger"
        small.fill(900_000)
        said = refused("--dsn", f"chdb:{folder}", "--otlp-port", "0", "--clickhouse-port", "0")
        small.empty()

        assert "cannot be written" in said
        assert start_up(folder).stop() == 0


def test_drafts_of_a_crash(start_up: Callable[..., Up], tmp_path: Path) -> None:
    """What a crash left of an insert is gone after the next start, and inserts leave nothing behind."""
    drafts = tmp_path / "ledger" / "drafts"
    drafts.mkdir(parents=True)
    (drafts / "left.raw").write_bytes(b"rows")
    up = start_up(tmp_path / "ledger")
    up.post(traces(attempt(1)).SerializeToString())

    assert list(drafts.iterdir()) == []
    assert up.stop() == 0


def test_files_are_private(up: Up) -> None:
    """Nobody else on the machine can read the ledger's address or its folder."""
    assert (up.folder / "up.json").stat().st_mode & 0o077 == 0
    assert up.folder.stat().st_mode & 0o077 == 0
