"""An embedded store belongs to one process, and the others find out who that is."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from farebox_ledger import Dsn, LedgerError, Store, announce, open_reader, open_store, parse_dsn, running
from farebox_ledger._lock import lock
from farebox_ledger.errors import StoreHeldError

HOLD = """
import sys
from pathlib import Path
from farebox_ledger import Dsn, announce
from farebox_ledger._lock import lock
dsn = Dsn("chdb", path=Path(sys.argv[1]))
with lock(dsn):
    if len(sys.argv) > 2:
        announce(dsn, 4318, int(sys.argv[2]), 1)
    print("held", flush=True)
    sys.stdin.read()
"""


@contextmanager
def other_process(folder: Path, *arguments: str) -> Iterator[int]:
    """Have another process hold the folder, and announce itself if it gets a port; gives its pid."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder), *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process.pid
        assert process.stdin is not None
        process.stdin.close()


def test_the_address_of_a_killed_holder_is_not_that_of_the_next(tmp_path: Path) -> None:
    """Where pids come again, nobody reads from a ledger that is being migrated: it listens when it says so itself."""
    dsn = Dsn("chdb", path=tmp_path)
    with lock(dsn):
        announce(dsn, 4318, 8123, 1)
        left = (tmp_path / "up.json").read_bytes()
    (tmp_path / "up.json").write_bytes(left)  # as a kill leaves it

    with lock(dsn):
        found = running(dsn)

    assert json.loads(left)["pid"] == os.getpid()
    assert found is None


def test_a_second_process_is_told_who_holds_the_store(tmp_path: Path) -> None:
    """The sentence names the folder and the process."""
    with other_process(tmp_path) as pid, pytest.raises(StoreHeldError) as refused, lock(Dsn("chdb", path=tmp_path)):
        pass

    assert str(refused.value) == (
        f"the ledger's folder {tmp_path} is held by process {pid}; "
        "stop it, or choose another folder with --dsn or FAREBOX_DSN"
    )


def test_who_waits_gets_the_store_of_a_short_command(tmp_path: Path) -> None:
    """`farebox up` starts while another command is at work: it waits for that, and not for another `farebox up`."""
    dsn = Dsn("chdb", path=tmp_path)
    with ThreadPoolExecutor() as pool:
        with other_process(tmp_path):
            waiting = pool.submit(held, dsn, 60.0)
            with pytest.raises(TimeoutError):
                waiting.result(0.2)
        assert waiting.result(60) is None

    with other_process(tmp_path, "8123"):
        began = time.monotonic()
        with pytest.raises(StoreHeldError):
            held(dsn, 60.0)
        assert time.monotonic() - began < 30


def held(dsn: Dsn, wait_s: float) -> None:
    """Hold a folder for a moment."""
    with lock(dsn, wait_s):
        pass


def test_the_lock_is_free_again_when_its_holder_is_gone(tmp_path: Path) -> None:
    """No file that a dead process left behind keeps the store shut."""
    with other_process(tmp_path, "8123"):
        pass

    with lock(Dsn("chdb", path=tmp_path)):
        assert running(Dsn("chdb", path=tmp_path)) is None


def test_a_running_up_is_found_by_others(tmp_path: Path) -> None:
    """Whoever announces itself and holds the store is found, with its ports; up.json is for its owner only."""
    with other_process(tmp_path, "8124") as pid:
        up = running(Dsn("chdb", path=tmp_path))
        mode = stat.S_IMODE((tmp_path / "up.json").stat().st_mode)

        assert up is not None
        assert (up.pid, up.otlp_port, up.clickhouse_port, mode) == (pid, 4318, 8124, 0o600)


def test_an_announcement_of_the_dead_is_ignored(tmp_path: Path) -> None:
    """up.json without a lock, or of another process than the holder, or garbage, names nobody."""
    dsn = Dsn("chdb", path=tmp_path)
    told = {"pid": 1, "otlp_port": 1, "clickhouse_port": 1, "started_at": "2026-11-20T12:00:00+00:00"}
    (tmp_path / "up.lock").write_text("1")

    for text in (json.dumps(told), "{", json.dumps({"pid": 1}), "[]"):
        (tmp_path / "up.json").write_text(text)
        assert running(dsn) is None
    with other_process(tmp_path):
        (tmp_path / "up.json").write_text(json.dumps(told))
        assert running(dsn) is None


def test_this_process_finds_itself(tmp_path: Path) -> None:
    """A store that this process holds and has announced is running, and no longer once it is closed."""
    dsn = Dsn("chdb", path=tmp_path)
    with lock(dsn):
        announce(dsn, 1, 2, 3)
        with lock(dsn):
            pass
        up = running(dsn)
    assert up is not None
    assert (up.pid, running(dsn)) == (os.getpid(), None)


def test_a_reader_needs_a_ledger(tmp_path: Path) -> None:
    """Where no ledger is, a question creates none and names the remedy."""
    with pytest.raises(LedgerError) as refused, open_reader(Dsn("chdb", path=tmp_path / "none")):
        pass

    assert str(refused.value) == (
        f"there is no ledger in {tmp_path / 'none'}; start one with `farebox up`, or name another with --dsn"
    )
    assert list(tmp_path.iterdir()) == []


def test_a_reader_cannot_write(fresh_store: Store) -> None:
    """A connection for questions refuses every change."""
    with open_reader(fresh_store.dsn) as client, pytest.raises(Exception, match="READONLY"):
        client.command("INSERT INTO otel_traces (TraceId) VALUES ('x')")


def test_a_server_that_does_not_answer_is_named() -> None:
    """The sentence names the address, and what to do."""
    with pytest.raises(LedgerError) as refused:
        open_store(parse_dsn("clickhouse://me:secret@127.0.0.1:1/costs"))

    assert str(refused.value).startswith("the ledger clickhouse://me@127.0.0.1:1/costs does not answer (")
    assert str(refused.value).endswith("); start it, or correct --dsn or FAREBOX_DSN")


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    """A file where the folder should be is a sentence, no traceback."""
    (tmp_path / "file").write_text("")

    with pytest.raises(LedgerError) as refused:
        open_store(Dsn("chdb", path=tmp_path / "file" / "ledger"))

    assert "cannot be written: Not a directory; choose another" in str(refused.value)


def test_threads_have_clients_of_their_own(fresh_store: Store) -> None:
    """A further client of the same store works in the same database."""
    with fresh_store.new_client() as client:
        assert client.query("SELECT currentDatabase()").result_rows == [(fresh_store.dsn.database,)]
