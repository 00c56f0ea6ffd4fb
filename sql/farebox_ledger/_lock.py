"""Keeps an embedded store to one process, and tells the others where that process listens.

Two files lie in the store's folder beside ClickHouse's own: `up.lock`, held with flock by the process that
has the store open (its text is the pid), and `up.json`, written when `farebox up` listens. Who can read a third,
`up.token`, may have the holder change it (`_actions.py`).
"""

from __future__ import annotations

import fcntl
import json
import os
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from farebox_ledger._dsn import Dsn
from farebox_ledger.errors import LedgerError, StoreHeldError

__all__ = ["LOCK_FILE", "LOCK_WAIT_S", "Up", "announce", "lock", "running"]

LOCK_FILE = "up.lock"
ADDRESS_FILE = "up.json"
LOCK_WAIT_S = 0.3
POLL_S = 0.02


@dataclass(frozen=True)
class Up:
    """A running `farebox up`: its pid and where it listens on loopback; `started_at` is UTC, ISO 8601.

    viewer_port: 0 where no viewer is served.
    """

    pid: int
    otlp_port: int
    clickhouse_port: int
    admin_port: int
    started_at: str
    viewer_port: int = 0


@dataclass
class _Holding:
    """This process's hold on one folder; several stores of one process share it."""

    descriptor: int
    stores: int


_holdings: dict[Path, _Holding] = {}
_guard = threading.Lock()


@contextmanager
def lock(dsn: Dsn, wait_s: float = LOCK_WAIT_S) -> Iterator[None]:
    """Hold the folder of an embedded store for this process; a server's address needs no lock.

    Raises:
        StoreHeldError: another process still holds it after `wait_s` seconds, or is a `farebox up`, which keeps it;
            names the folder and the pid.
    """
    if dsn.kind != "chdb":
        yield
        return
    folder = dsn.folder.resolve()
    _acquire(folder, time.monotonic() + wait_s)
    try:
        yield
    finally:
        _release(folder)


def announce(dsn: Dsn, otlp_port: int, clickhouse_port: int, admin_port: int, viewer_port: int = 0) -> Up:
    """Tell other commands where this process, which holds the store, listens; readable by this user only."""
    started_at = datetime.now(UTC).isoformat(timespec="seconds")
    up = Up(os.getpid(), otlp_port, clickhouse_port, admin_port, started_at, viewer_port)
    descriptor, draft = tempfile.mkstemp(dir=dsn.folder, prefix=ADDRESS_FILE + ".")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(asdict(up), file)
            file.flush()
            os.fsync(file.fileno())
        Path(draft).replace(dsn.folder / ADDRESS_FILE)
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise
    return up


def running(dsn: Dsn) -> Up | None:
    """Find the process that has announced itself and still holds the store; None when there is none."""
    up = _announced(dsn.folder) if dsn.kind == "chdb" else None
    return up if up is not None and _holder(dsn.folder.resolve()) == up.pid else None


def _announced(folder: Path) -> Up | None:
    """Read who announced itself last; it may be gone."""
    try:
        return Up(**json.loads((folder / ADDRESS_FILE).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def _acquire(folder: Path, deadline: float) -> None:
    with _guard:
        held = _holdings.get(folder)
        if held is not None:
            held.stores += 1
            return
        descriptor = _open(folder)
        try:
            _flock(folder, descriptor, deadline)
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, str(os.getpid()).encode(), 0)
            # A killed holder leaves its address; where pids come again, as in containers, it would pass for this one's.
            (folder / ADDRESS_FILE).unlink(missing_ok=True)
        except OSError as error:
            os.close(descriptor)
            raise LedgerError(
                f"the ledger's folder {folder} cannot be written: {error.strerror}; make room, or choose another"
            ) from None
        except BaseException:
            os.close(descriptor)
            raise
        _holdings[folder] = _Holding(descriptor, stores=1)


def _open(folder: Path) -> int:
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return os.open(folder / LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise LedgerError(f"the ledger's folder {folder} cannot be written: {error.strerror}; choose another") from None


def _flock(folder: Path, descriptor: int, deadline: float) -> None:
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            holder, up = _written_pid(descriptor), _announced(folder)
            if time.monotonic() >= deadline or (up is not None and up.pid == holder):
                raise StoreHeldError(
                    f"the ledger's folder {folder} is held by process {holder or '(unknown)'}; "
                    "stop it, or choose another folder with --dsn or FAREBOX_DSN"
                ) from None
        time.sleep(POLL_S)


def _release(folder: Path) -> None:
    with _guard:
        held = _holdings[folder]
        held.stores -= 1
        if held.stores == 0:
            with suppress(OSError):  # gone already, or the disk takes nothing: it names a process that holds nothing
                (folder / ADDRESS_FILE).unlink()
            del _holdings[folder]
            os.close(held.descriptor)


def _holder(folder: Path) -> int | None:
    """Pid of the process that holds the folder now; None when nobody does."""
    with _guard:
        if folder in _holdings:
            return os.getpid()
        try:
            descriptor = os.open(folder / LOCK_FILE, os.O_RDWR)
        except OSError:
            return None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return _written_pid(descriptor)
        finally:
            os.close(descriptor)
        return None


def _written_pid(descriptor: int) -> int | None:
    text = os.pread(descriptor, 20, 0).decode("ascii", "replace")
    return int(text) if text.isdecimal() else None
