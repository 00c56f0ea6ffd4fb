"""Takes up changes of the user's price files while a ledger is open: what is stored afterwards has the new prices."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from farebox_ledger._book import sync_book
from farebox_ledger._book_own import own_files, read_own_book
from farebox_ledger._dsn import Dsn
from farebox_ledger._routes import read_routes, sync_routes
from farebox_ledger.errors import LedgerError

if TYPE_CHECKING:
    from farebox_ledger._store import Store

__all__ = ["watching"]

POLL_S = 2.0
SETTLE_S = 0.2  # a file that an editor is still writing may lack entries for a moment

Marks = tuple[tuple[str, int, int], ...]

_log = logging.getLogger("farebox.prices")


@contextmanager
def watching(store: Store, poll_s: float = POLL_S) -> Iterator[None]:
    """Look at the user's price files every `poll_s` seconds until the block ends, and bring the book in step."""
    stopping = threading.Event()
    marks = _marks(store.dsn)
    thread = threading.Thread(target=_watch, args=(store, stopping, marks, poll_s), name="farebox-prices", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stopping.set()
        thread.join()  # the engine cannot close around a running statement


def _watch(store: Store, stopping: threading.Event, marks: Marks, poll_s: float) -> None:
    while not stopping.wait(poll_s):
        now = _marks(store.dsn)
        if now == marks or stopping.wait(SETTLE_S) or _marks(store.dsn) != now:
            continue
        marks = now
        _take_up(store)


def _take_up(store: Store) -> None:
    """Bring the book in step; whatever goes wrong is said, and the former prices hold."""
    try:
        with store.new_client() as client:
            added = sync_book(client, read_own_book(store.dsn))
            routes = sync_routes(client, read_routes())
    except LedgerError as error:
        _log.warning("Prices stay as they were: %s", error)
    except Exception:  # noqa: BLE001  (whatever it is, storing goes on)
        _log.exception("Prices stay as they were")
    else:
        if routes:
            _log.warning("%d settings of routes added; what is stored is judged by them", routes)
        if added:
            _log.warning("%d rows added to the price book; they hold for what is stored from now on", added)


def _marks(dsn: Dsn) -> Marks:
    """Say which files there are, how long, and when they were last written."""
    found = []
    for path in own_files(dsn):
        try:
            stat = path.stat()
        except OSError:  # gone meanwhile
            continue
        found.append((str(path), stat.st_mtime_ns, stat.st_size))
    return tuple(found)
