"""Takes the journal's segments, oldest first, and inserts their rows until the store has them, whatever happens to it.

A segment's name is the token of its insert, so that one that is loaded again after a crash adds nothing. After a power
cut it is another: ClickHouse may remember an insert whose rows it lost, and would pass it over. Where a row makes an
insert fail, the rows are halved until it stands alone; it goes to quarantine, its neighbours into the table.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from dataclasses import dataclass, field
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from farebox_collector._counts import Counts, Recent
from farebox_collector._decode import ROWS, TRACES, decode
from farebox_collector._files import boot_id, sync_system
from farebox_collector._insert import insert
from farebox_collector._journal import Journal, Kept, Segment
from farebox_collector._quarantine import UNBOUNDED, Quarantine
from farebox_collector._segment import parse_segment
from farebox_collector.errors import RequestError, StoreError, StoreRefusedError, StoreUnavailableError

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

__all__ = ["Loader"]

# What is stored is forgotten once the operating system has put it on the disk; it is asked to, this often.
SYNC_S = 5.0
STORED_SEGMENTS_MAX = 64
PAUSE_S_MIN, PAUSE_S_MAX = 0.1, 5.0
# Inserts that may fail one after the other, none succeeding, for reasons that may be the rows': isolating one bad row
# of 10,000 takes 14. A table that takes no row of so many is not poisoned but broken.
DOUBTS_MAX = 40
# How long later segments wait for one that cannot be read, and until it is tried again after that.
READ_S_MAX = 10.0
LEFT_S = 5.0

_log = logging.getLogger("farebox.collector")


@dataclass
class _Rows:
    """The rows of a segment for one table; `records` and `ends` say which of them came from which body."""

    table: str
    rows: pa.Table
    kept: list[tuple[int, Kept]]
    ends: list[int]
    todo: list[tuple[int, int]]
    stored: int = 0
    proven: bool = False
    doubts: list[tuple[int, StoreError]] = field(default_factory=list)

    @classmethod
    def of(cls, table: str, kept: list[Kept]) -> _Rows:
        """Put the rows of all bodies for a table together."""
        own = [(index, each) for index, each in enumerate(kept) if each.record.body.table == table]
        rows = pa.concat_tables([each.rows for _, each in own])
        return cls(table, rows, own, list(accumulate(each.rows.num_rows for _, each in own)), [(0, rows.num_rows)])

    def origin(self, row: int) -> tuple[int, Kept, int]:
        """Tell which body a row came from, its number in the segment, and the row's number in it."""
        place = next(place for place, end in enumerate(self.ends) if row < end)
        index, kept = self.kept[place]
        return index, kept, row - (self.ends[place] - kept.rows.num_rows)


class Loader:
    """The one thread that inserts. It never gives a segment up: what fails for the store's sake is tried again."""

    def __init__(
        self,
        client: Client,
        journal: Journal,
        quarantine: Quarantine,
        counts: Counts,
        store_folder: Path | None,
    ) -> None:
        """Start to load; `store_folder` is where an embedded store has its files, None for a server's."""
        self._client = client
        self._journal = journal
        self._quarantine = quarantine
        self._counts = counts
        self._store_folder = store_folder
        self._since = "" if store_folder is None else f"-{boot_id()}"  # a server looks after its own disk
        self._failures: dict[str, str] = {}
        self._recent = Recent()
        self._left: list[Segment] = []
        self._left_until = 0.0
        self._aside: list[tuple[Segment, list[_Rows]]] = []
        self._synced = time.monotonic()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="farebox-loader", daemon=True)
        self._thread.start()

    @property
    def failure(self) -> str | None:
        """Why the latest insert into a table failed, None while the store takes rows."""
        return next(iter(list(self._failures.values())), None)

    def close(self, timeout_s: float) -> bool:
        """Load what is left as far as the time goes, and end; what is left then waits in the journal."""
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline and self._thread.is_alive() and self.failure is None:
            if not self._journal.gauges()["journal_segments"]:
                break
            time.sleep(0.01)
        self._closing.set()
        self._journal.release_readers()
        self._thread.join(max(deadline - time.monotonic(), 0.5))
        return not self._thread.is_alive()

    def _run(self) -> None:
        while not self._closing.is_set():
            try:
                segment = self._journal.take(PAUSE_S_MIN if self._journal.stored_segments() or self._aside else 1.0)
                if segment is not None:
                    self._load_or_leave(segment)
                elif self._aside:
                    self._try_again()
                if self._left and time.monotonic() >= self._left_until:
                    left, self._left = self._left, []
                    for each in left:
                        self._load_or_leave(each)
                self._forget()
            except Exception:  # noqa: BLE001 -- a loader that ends would fill the journal
                _log.exception(
                    "The loader failed in an unforeseen way; what it did not store is loaded at the next start"
                )
        self._forget()

    def _load_or_leave(self, segment: Segment) -> None:
        """Load a segment; one that cannot even be read stays and is tried again later, or at the next start."""
        try:
            self._load(segment)
        except Exception as error:  # noqa: BLE001 -- one file must not keep all later ones from the ledger
            self._counts.add("segments_left")
            _log.warning("%s cannot be loaded now; it stays and is tried again: %r", segment.path, error)
            self._journal.leave(segment)
            self._left.append(segment)
            self._left_until = time.monotonic() + LEFT_S

    def _load(self, segment: Segment) -> None:
        kept = segment.kept if segment.kept is not None else self._read_back(segment)
        work = [_Rows.of(table, kept) for table in ROWS if any(each.record.body.table == table for each in kept)]
        if self._settle(segment, work) and not self._closing.is_set():
            self._finish(segment)

    def _settle(self, segment: Segment, work: list[_Rows]) -> bool:
        """Insert until nothing is left to do, pausing while the store fails; False if it must be set aside."""
        pause_s = PAUSE_S_MIN
        while not self._closing.is_set():
            failed = False
            for rows in work:  # apart, so that spans are stored whatever becomes of logs
                try:
                    self._store(segment, rows)
                    if not rows.doubts:
                        self._report(rows.table, None)
                except StoreUnavailableError as error:
                    failed = True
                    self._report(rows.table, error)
            if not failed:
                return self._judge(segment, work)
            self._journal.release_readers()
            self._closing.wait(pause_s * random.uniform(0.5, 1.0))  # noqa: S311 -- jitter, no secret
            pause_s = min(pause_s * 2, PAUSE_S_MAX)
        return False

    def _store(self, segment: Segment, rows: _Rows) -> None:
        """Insert what is left of a table's rows; those that fail alone are refused or, if the store may err, doubted.

        Raises:
            StoreUnavailableError: the store cannot take rows now; `todo` holds what is left.
        """
        doubts = 0
        while rows.todo:
            start, stop = rows.todo[-1]
            try:
                self._insert(segment, rows, start, stop)
                rows.stored += stop - start
                doubts = 0
                rows.todo.pop()
            except StoreUnavailableError as error:
                middle = (start + stop) // 2
                if not error.too_many or middle == start:
                    raise
                rows.todo[-1:] = [(middle, stop), (start, middle)]
                self._counts.add("inserts_halved")
            except StoreError as error:
                doubts += not isinstance(error, StoreRefusedError)
                if doubts > DOUBTS_MAX and not rows.stored:
                    rows.todo, rows.doubts = [(0, rows.rows.num_rows)], []
                    raise StoreUnavailableError(str(error)) from error
                rows.todo.pop()
                middle = (start + stop) // 2
                if middle > start:
                    rows.todo += [(middle, stop), (start, middle)]
                elif isinstance(error, StoreRefusedError):
                    self._refuse(segment, rows, start, error)
                else:
                    rows.doubts.append((start, error))

    def _insert(self, segment: Segment, rows: _Rows, start: int, stop: int) -> None:
        began = time.monotonic()
        part = rows.rows.slice(start, stop - start).combine_chunks()
        insert(self._client, rows.table, part, f"{segment.token}-{rows.table}-{start}-{stop}{self._since}")
        took_ms = (time.monotonic() - began) * 1000
        self._counts.add(f"{ROWS[rows.table]}_stored", stop - start)
        self._counts.add("inserts")
        self._counts.add("insert_ms", round(took_ms))
        if rows.table == TRACES:
            ids = zip(part["TraceId"].to_pylist(), part["SpanId"].to_pylist(), strict=True)
            self._counts.add("spans_duplicate", self._recent.count([hash(each) for each in ids]))
        self._counts.top("insert_ms_max", took_ms)

    def _judge(self, segment: Segment, work: list[_Rows]) -> bool:
        """Decide on doubted rows: where others could be stored, it was the row; else the segment waits for proof."""
        doubted = [rows for rows in work if rows.doubts]
        proven = any(rows.stored or rows.proven for rows in work)
        if doubted and not proven:
            self._aside.append((segment, work))
            self._report(doubted[0].table, doubted[0].doubts[0][1])
            self._journal.release_readers()
            return False
        for rows in doubted:
            self._try_alone(segment, rows)
            for row, error in rows.doubts:
                self._refuse(segment, rows, row, error)
            rows.doubts.clear()
        if proven and self._aside:
            self._try_again(proven=True)
        return True

    def _try_alone(self, segment: Segment, rows: _Rows) -> None:
        """Insert doubted rows once more, now that others could be stored: the store may have been mended in between."""
        doubts, rows.doubts = rows.doubts, []
        for row, _ in doubts:
            try:
                self._insert(segment, rows, row, row + 1)
            except StoreError as error:
                rows.doubts.append((row, error))

    def _try_again(self, *, proven: bool = False) -> None:
        """Insert the segments that were set aside once more; `proven` says that the store takes other rows."""
        aside, self._aside = self._aside, []
        for segment, work in aside:
            for rows in work:
                rows.todo += [(row, row + 1) for row, _ in rows.doubts]
                rows.doubts.clear()
                rows.proven |= proven
            if self._settle(segment, work):
                self._finish(segment)
        if self._aside:
            self._closing.wait(PAUSE_S_MAX / 5)

    def _refuse(self, segment: Segment, rows: _Rows, row: int, error: StoreError) -> None:
        index, kept, own_row = rows.origin(row)
        self._quarantine.keep_row(segment.token, index * 100_000 + own_row, kept.record, own_row, str(error))
        self._counts.add(f"{ROWS[rows.table]}_refused_by_store")
        _log.warning("The store refuses one of the %s, which goes to quarantine: %s", _words(rows.table), error)

    def _finish(self, segment: Segment) -> None:
        self._counts.top("lag_s", max(time.monotonic() - segment.began, 0.0))
        self._journal.stored(segment)

    def _read_back(self, segment: Segment) -> list[Kept]:
        """Read a segment from the disk and make its rows anew; what is damaged in it goes to quarantine."""
        data = self._bytes_of(segment)
        contents = parse_segment(data)
        for damage in contents.damages:
            self._counts.add("journal_torn" if damage.torn else "journal_corrupt")
            self._quarantine.keep_damage(segment.token, damage.start, data[damage.start : damage.stop], damage.torn)
        corrupt = [damage for damage in contents.damages if not damage.torn]
        if corrupt:
            _log.warning("%s is damaged in %d places; the rest of it is loaded", segment.path, len(corrupt))
        kept = []
        for index, record in enumerate(contents.records):
            try:
                rows = decode(record.body, UNBOUNDED).rows
            except RequestError as error:
                self._quarantine.keep_record(segment.token, index * 100_000, record, str(error))
                _log.warning("A body in %s is not understood any more and goes to quarantine: %s", segment.path, error)
            else:
                kept.append(Kept(record, rows))
        self._counts.add("bodies_replayed", len(kept))
        return kept

    def _bytes_of(self, segment: Segment) -> bytes:
        """Read a file; one that cannot be read holds up later ones a little, for of equal ids the first stored counts.

        Raises:
            OSError: it cannot be read for READ_S_MAX.
        """
        deadline = time.monotonic() + READ_S_MAX
        while True:
            try:
                return segment.path.read_bytes()
            except OSError:
                if time.monotonic() >= deadline or self._closing.is_set():
                    raise
                self._journal.release_readers()
                self._closing.wait(PAUSE_S_MIN)

    def _forget(self) -> None:
        """Delete the files of stored segments once their rows are on the store's own disk."""
        stored = self._journal.stored_segments()
        due = time.monotonic() >= self._synced + SYNC_S or len(stored) >= STORED_SEGMENTS_MAX or self._closing.is_set()
        if not stored or (self._store_folder is not None and not due):
            return
        self._synced = time.monotonic()
        try:
            if self._store_folder is not None:
                sync_system(self._store_folder)
        except OSError as error:
            _log.warning("The disk does not take what is stored; the journal keeps it: %s", error.strerror)
            return
        self._journal.forget(stored)

    def _report(self, table: str, error: StoreError | None) -> None:
        """Log when the store begins or ceases to fail, once each."""
        failed = self._failures.pop(table, None)
        if error is not None:
            self._counts.add("insert_failures")
            self._failures[table] = str(error)
        if error is not None and failed is None:
            _log.warning("The store takes no %s; they wait in the journal: %s", _words(table), error)
        if error is None and failed is not None:
            _log.warning("The store takes %s again", _words(table))


def _words(table: str) -> str:
    return ROWS[table].replace("_", " ")
