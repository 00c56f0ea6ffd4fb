"""Stores batches of rows on one thread, many at a time, and resolves each once its rows are in the table.

Group commit: while one insert runs, whatever arrives is put together for the next. When a group fails because
of some row, it is halved until that row stands alone, so that it never takes its neighbours with it.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter, deque
from concurrent.futures import Future
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import TYPE_CHECKING

import pyarrow as pa

from farebox_collector._counts import Counts
from farebox_collector._insert import insert
from farebox_collector.errors import BusyError, StoreError, StoreRefusedError, StoreUnavailableError

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

__all__ = ["LOGS", "TRACES", "Batch", "Writer"]

TRACES, LOGS = "otel_traces", "otel_logs"
# What a table's rows are called in counts and messages.
ROWS = {TRACES: "spans", LOGS: "log_records"}

LINGER_S = 0.01
GROUP_SPANS_MAX = 20_000
QUEUE_SPANS_MAX = 200_000
# Isolating one bad row of 10,000 takes 28 inserts; a group that needs more than these has no bad row but a bad store.
INSERTS_OF_A_GROUP_MAX = 200

_log = logging.getLogger("farebox.collector")


@dataclass(frozen=True, eq=False)
class Batch:
    """Rows of one request for one table, and the digest of its body; `settled` gives the reasons of rows refused.

    `settled` raises StoreUnavailableError when some of the rows may not be in the table.
    """

    rows: pa.Table
    digest: bytes
    table: str = TRACES
    settled: Future[Counter[str]] = field(default_factory=Future)


@dataclass(frozen=True)
class _Part:
    """Rows `start` to `stop` of one batch."""

    batch: Batch
    start: int
    stop: int


@dataclass
class _Group:
    """What one round of inserts did to its batches."""

    refused: list[tuple[Batch, StoreError]] = field(default_factory=list)
    doubtful: list[tuple[Batch, StoreError]] = field(default_factory=list)
    unstored: dict[Batch, StoreUnavailableError] = field(default_factory=dict)
    inserts: int = 0
    stored: int = 0


class Writer:
    """The one thread that writes."""

    def __init__(self, client: Client, counts: Counts) -> None:
        self._failures: dict[str, str] = {}
        self._client = client
        self._counts = counts
        self._changed = threading.Condition()
        self._waiting: deque[Batch] = deque()
        self._waiting_spans = 0
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="farebox-writer", daemon=True)
        self._thread.start()

    @property
    def failure(self) -> str | None:
        """Why the latest insert into a table failed, None while the store takes rows."""
        return next(iter(list(self._failures.values())), None)

    def submit(self, batch: Batch) -> None:
        """Queue a batch; its `settled` resolves later, on the writer's thread.

        Raises:
            BusyError: the queue is full, or the collector is stopping.
        """
        with self._changed:
            if self._closing:
                raise BusyError("the collector is stopping")
            if self._waiting_spans + batch.rows.num_rows > QUEUE_SPANS_MAX:
                raise BusyError(f"{self._waiting_spans} rows wait to be stored, no more than {QUEUE_SPANS_MAX} may")
            batch.settled.set_running_or_notify_cancel()  # whoever gives up waiting does not undo what is queued
            self._waiting.append(batch)
            self._waiting_spans += batch.rows.num_rows
            self._changed.notify()

    def close(self, timeout_s: float) -> bool:
        """Store what is queued and end the thread; False when that took longer than the time given."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while taken := self._take():
            for table in ROWS:  # apart, so that spans are stored whatever becomes of logs
                batches = [batch for batch in taken if batch.table == table]
                if batches:
                    self._write(table, batches)

    def _write(self, table: str, batches: list[Batch]) -> None:
        try:
            self._settle(table, batches, self._store(table, batches))
        except Exception as error:  # noqa: BLE001 -- a writer that ends would leave every client waiting
            _log.exception("The writer failed in an unforeseen way; its batches are answered 503")
            for batch in batches:
                if not batch.settled.done():
                    batch.settled.set_exception(StoreUnavailableError(repr(error)))

    def _take(self) -> list[Batch]:
        """Wait for batches and take as many as one insert may hold; none when the writer is to end."""
        with self._changed:
            if not self._waiting:
                self._changed.wait_for(lambda: self._waiting or self._closing)
                self._linger()
            taken: list[Batch] = []
            spans = 0
            while self._waiting and (not taken or spans + self._waiting[0].rows.num_rows <= GROUP_SPANS_MAX):
                taken.append(self._waiting.popleft())
                spans += taken[-1].rows.num_rows
            self._waiting_spans -= spans
            return taken

    def _linger(self) -> None:
        """Give others a moment to join the first batch: an insert costs the same for one span as for hundreds."""
        until = time.monotonic() + LINGER_S
        while not self._closing and self._waiting_spans < GROUP_SPANS_MAX:
            left = until - time.monotonic()
            if left <= 0:
                return
            self._changed.wait(left)

    def _store(self, table: str, batches: list[Batch]) -> _Group:
        group = _Group()
        todo = [[_Part(batch, 0, batch.rows.num_rows) for batch in batches]]
        while todo:
            parts = todo.pop()
            try:
                self._insert(table, parts, group)
            except StoreUnavailableError as error:
                for part in (part for each in [parts, *todo] for part in each):
                    group.unstored[part.batch] = error
                break
            except StoreError as error:
                if halves := _halves(parts):
                    todo += halves
                elif isinstance(error, StoreRefusedError):
                    group.refused.append((parts[0].batch, error))
                else:
                    group.doubtful.append((parts[0].batch, error))
        for batch, doubt in group.doubtful:
            if group.stored:  # the store works, so it was the row
                group.refused.append((batch, doubt))
            else:
                group.unstored[batch] = StoreUnavailableError(str(doubt))
        return group

    def _insert(self, table: str, parts: list[_Part], group: _Group) -> None:
        group.inserts += 1
        if group.inserts > INSERTS_OF_A_GROUP_MAX:
            raise StoreUnavailableError(f"{INSERTS_OF_A_GROUP_MAX} inserts did not settle one group of batches")
        rows = pa.concat_tables(part.batch.rows.slice(part.start, part.stop - part.start) for part in parts)
        began = time.monotonic()
        insert(self._client, table, rows.combine_chunks(), _token(parts))
        group.stored += rows.num_rows
        self._counts.add("inserts")
        self._counts.add("insert_ms", round((time.monotonic() - began) * 1000))

    def _settle(self, table: str, batches: list[Batch], group: _Group) -> None:
        """Resolve the batches, count, and log when the store begins or ceases to fail."""
        reasons = {batch: Counter[str]() for batch in batches}
        refused = [(batch, error) for batch, error in group.refused if batch not in group.unstored]
        for batch, error in refused:
            reasons[batch][str(error)] += 1
        self._counts.add(f"{ROWS[table]}_stored", group.stored)
        self._counts.add(f"{ROWS[table]}_refused_by_store", len(refused))
        self._report(table, next(iter(group.unstored.values()), None))
        if refused:
            _log.warning("The store refused %d %s: %s", len(refused), _words(table), refused[0][1])
        for batch in batches:
            if batch in group.unstored:
                batch.settled.set_exception(group.unstored[batch])
            else:
                batch.settled.set_result(reasons[batch])

    def _report(self, table: str, error: StoreError | None) -> None:
        failed = self._failures.pop(table, None)
        if error is not None:
            self._counts.add("insert_failures")
            self._failures[table] = str(error)
        if error is not None and failed is None:
            _log.warning("The store takes no %s; clients are told to come back: %s", _words(table), error)
        if error is None and failed is not None:
            _log.warning("The store takes %s again", _words(table))


def _words(table: str) -> str:
    return ROWS[table].replace("_", " ")


def _halves(parts: list[_Part]) -> list[list[_Part]]:
    """Cut a group in two, first between batches, then between rows; nothing when it is a single row."""
    if len(parts) > 1:
        middle = len(parts) // 2
        return [parts[:middle], parts[middle:]]
    part = parts[0]
    middle = (part.start + part.stop) // 2
    if middle == part.start:
        return []
    return [[_Part(part.batch, part.start, middle)], [_Part(part.batch, middle, part.stop)]]


def _token(parts: list[_Part]) -> str:
    """Name an insert by its content: the same parts of the same bodies have the same token."""
    digest = blake2b(digest_size=16)
    for part in parts:
        digest.update(part.batch.digest)
        digest.update(part.start.to_bytes(8, "big") + part.stop.to_bytes(8, "big"))
    return digest.hexdigest()
