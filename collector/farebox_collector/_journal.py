"""Keeps every acknowledged body on disk until its rows are in the ledger: write, fsync, then answer.

One thread writes. What arrives while it waits for the disk goes to the disk together next time (group commit). Bodies
are appended to an open segment; once that is old or large enough, or somebody wants to read what is in it, it is sealed
and never changes again, so that its name can serve as the token of its insert, now or after any crash.
"""

from __future__ import annotations

import fcntl
import logging
import os
import re
import secrets
import threading
import time
from collections import deque
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa

from farebox_collector._counts import Counts
from farebox_collector._files import create_file, make_folder, remove_file, sync_file, write_all
from farebox_collector._segment import MAGIC, Record, encode_records
from farebox_collector.errors import BusyError, CollectorError, JournalFullError

__all__ = ["Bounds", "Journal", "Kept", "Segment"]

NAME = re.compile(r"(\d{12})-[0-9a-f]{16}\.journal")
SEGMENT_S_MAX = 1.0
SEGMENT_ROWS_MAX = 10_000
SEGMENT_BYTES_MAX = 16 * 1024 * 1024
# When so many wait to be stored, the open one grows on: one large insert takes less than many small ones.
BACKLOG = 2
# Bodies and rows of sealed segments that stay in memory; those of later ones are read back from the disk.
KEPT_BYTES_MAX = 64 * 1024 * 1024

_log = logging.getLogger("farebox.collector")


@dataclass(frozen=True)
class Bounds:
    """Most bytes of the journal, and how old what is not stored yet may get before no more is taken."""

    bytes_max: int
    age_s_max: float


@dataclass(frozen=True)
class Kept:
    """A record and its rows, which the receiver has made already."""

    record: Record
    rows: pa.Table


@dataclass(eq=False)
class Segment:
    """A file of the journal; `kept` is what it holds, None if that must be read back. Numbers rise with age."""

    path: Path
    number: int
    began: float
    bytes: int = 0
    rows: int = 0
    kept: list[Kept] | None = field(default_factory=list)

    @property
    def token(self) -> str:
        """Name of the segment, never given twice."""
        return self.path.stem

    @property
    def kept_bytes(self) -> int:
        """Memory that its bodies and their rows take."""
        return sum(each.rows.nbytes + each.record.size for each in self.kept or ())


@dataclass(frozen=True)
class _Entry:
    kept: Kept
    written: Future[None] = field(default_factory=Future)


class Journal:
    """The one thread that writes acknowledged bodies, and the queue of segments to be stored."""

    def __init__(self, folder: Path, bounds: Bounds, counts: Counts, segment_s_max: float = SEGMENT_S_MAX) -> None:
        """Open a journal; what an earlier process left in it comes first.

        Raises:
            CollectorError: another process has it, or its folder cannot be written.
        """
        self.folder = folder
        self.failure: str | None = None
        self._bounds = bounds
        self._counts = counts
        self._segment_s_max = segment_s_max
        self._lock = _lock(folder)
        self._changed = threading.Condition()
        self._entries: deque[_Entry] = deque()
        self._sealed: deque[Segment] = deque()
        self._unstored: dict[int, Segment] = {}
        self._stored: list[Segment] = []
        self._held = 0  # bytes of all files, stored and not yet forgotten ones among them
        self._kept = 0  # memory of rows of segments in `_sealed`
        self._readers: list[tuple[int, Future[None]]] = []
        self._open: Segment | None = None
        self._descriptor = -1
        self._seal_now = self._closing = self._closed = False
        self._find()
        self._thread = threading.Thread(target=self._run, name="farebox-journal", daemon=True)
        self._thread.start()

    def append(self, record: Record, rows: pa.Table) -> Future[None]:
        """Write a body; the future resolves once it is on the disk, or raises BusyError if it could not get there.

        Raises:
            JournalFullError: the journal holds as much, or as old, as it may.
            BusyError: the collector is stopping.
        """
        entry = _Entry(Kept(record, rows))
        with self._changed:
            if self._closing:
                raise BusyError("the collector is stopping")
            self._refuse_if_full(record.size)
            entry.written.set_running_or_notify_cancel()  # whoever gives up waiting does not undo what is written
            self._entries.append(entry)
            self._changed.notify_all()
        return entry.written

    def take(self, timeout_s: float) -> Segment | None:
        """Wait for the oldest segment that nobody has taken yet; None when none came in time, or never will."""
        with self._changed:
            self._changed.wait_for(lambda: self._sealed or self._closed, timeout_s)
            if not self._sealed:
                return None
            segment = self._sealed.popleft()
            self._kept -= segment.kept_bytes
            self._changed.notify_all()
            return segment

    def stored(self, segment: Segment) -> None:
        """Note that the rows of a segment are in the store: readers see them; the file stays until `forget`."""
        with self._changed:
            self._unstored.pop(segment.number, None)
            segment.kept = None
            self._stored.append(segment)
            self._wake_readers()

    def leave(self, segment: Segment) -> None:
        """Pass over a segment that cannot be loaded; its file stays for the next start."""
        with self._changed:
            self._unstored.pop(segment.number, None)
            segment.kept = None
            self._wake_readers()

    def stored_segments(self) -> list[Segment]:
        """List the segments that are stored and whose files are still there."""
        with self._changed:
            return list(self._stored)

    def forget(self, segments: list[Segment]) -> None:
        """Delete the files of stored segments, once the store itself has their rows on the disk."""
        gone = [segment for segment in segments if remove_file(segment.path)]
        with self._changed:
            self._stored = [segment for segment in self._stored if segment not in gone]
            self._held -= sum(segment.bytes for segment in gone)

    def settled(self) -> Future[None]:
        """Give a future that resolves once all that is acknowledged by now is stored, or cannot be stored now."""
        future: Future[None] = Future()
        future.set_running_or_notify_cancel()
        with self._changed:
            if not self._unstored:
                future.set_result(None)
                return future
            self._readers.append((next(reversed(self._unstored)), future))
            if self._open is not None:
                self._seal_now = True
                self._changed.notify_all()
        return future

    def release_readers(self) -> None:
        """Let readers go on without what the store cannot take now."""
        with self._changed:
            readers, self._readers = self._readers, []
        for _, future in readers:
            future.set_result(None)

    def gauges(self) -> dict[str, float]:
        """Measure what is not stored yet: bytes, segments, and seconds since the oldest of it was acknowledged."""
        with self._changed:
            return {
                "journal_bytes": self._held - sum(segment.bytes for segment in self._stored),
                "journal_segments": len(self._unstored),
                "journal_age_s": self._age_s(),
            }

    def close(self, timeout_s: float) -> bool:
        """Write what waits and seal the last segment; False when that took longer than the time given."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def unlock(self) -> None:
        """Let another process have the folder."""
        os.close(self._lock)

    def _find(self) -> None:
        """Queue the segments that an earlier process left behind, in their order."""
        found = sorted(path for path in self.folder.iterdir() if NAME.fullmatch(path.name))
        now = time.time()
        for number, path in enumerate(found, 1):
            status = path.stat()
            # A clock that was set back since would make an age below zero, and one set forward makes it larger, until
            # the segment is stored, which is at once.
            began = time.monotonic() - max(now - status.st_mtime, 0.0)
            segment = Segment(path, number, began, status.st_size, kept=None)
            self._sealed.append(segment)
            self._unstored[segment.number] = segment
            self._held += segment.bytes
        self._number = len(found)
        self._named = int(found[-1].name[:12]) if found else 0
        self._counts.add("journal_segments_found", len(found))

    def _refuse_if_full(self, more: int) -> None:
        waiting = sum(entry.kept.record.size for entry in self._entries)
        if self._held + waiting + more > self._bounds.bytes_max:
            self._counts.add("journal_full")
            raise JournalFullError(f"the journal holds {self._held} of {self._bounds.bytes_max} bytes")
        age_s = self._age_s()
        if age_s > self._bounds.age_s_max:
            self._counts.add("journal_full")
            raise JournalFullError(f"the oldest in the journal waits for {age_s:.0f} s to be stored")

    def _age_s(self) -> float:
        """Seconds since the oldest unstored segment began; stored ones in between do not count."""
        oldest = next(iter(self._unstored.values()), None)
        return 0.0 if oldest is None else max(time.monotonic() - oldest.began, 0.0)

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._entries or self._closing or self._seal_now, self._seal_in_s())
                entries = list(self._entries)
                self._entries.clear()
            if entries:
                self._write(entries)
            if self._is_due():
                self._seal()
            with self._changed:
                if self._closing and not self._entries:
                    self._closed = True
                    self._changed.notify_all()
                    return

    def _seal_in_s(self) -> float | None:
        if self._open is None:
            return None
        if len(self._sealed) >= BACKLOG:
            return self._segment_s_max  # by then the loader may have come after
        return max(self._open.began + self._segment_s_max - time.monotonic(), 0.0)

    def _is_due(self) -> bool:
        segment = self._open
        return segment is not None and (
            self._closing
            or self._seal_now
            or segment.rows >= SEGMENT_ROWS_MAX
            or segment.bytes >= SEGMENT_BYTES_MAX
            or (len(self._sealed) < BACKLOG and time.monotonic() >= segment.began + self._segment_s_max)
        )

    def _write(self, entries: list[_Entry]) -> None:
        """Append bodies and wait for the disk; if it fails, the file is cut back to what was acknowledged."""
        try:
            segment = self._open or self._begin()
            try:
                for piece in encode_records(entry.kept.record for entry in entries):
                    write_all(self._descriptor, piece)
                sync_file(self._descriptor)
            except OSError:
                self._cut_back(segment)
                raise
        except Exception as error:  # noqa: BLE001 -- a journal that ends would leave every client waiting
            self._fail(entries, error)
            return
        with self._changed:
            written = sum(entry.kept.record.size for entry in entries)
            segment.bytes += written
            self._held += written
            segment.rows += sum(entry.kept.rows.num_rows for entry in entries)
            assert segment.kept is not None
            segment.kept += [entry.kept for entry in entries]
            self._unstored[segment.number] = segment
            if self.failure is not None:
                _log.warning("The journal can be written again")
                self.failure = None
        for entry in entries:
            entry.written.set_result(None)

    def _begin(self) -> Segment:
        path = self.folder / f"{self._named + 1:012d}-{secrets.token_hex(8)}.journal"
        try:
            self._descriptor = create_file(path)
            write_all(self._descriptor, MAGIC)
        except OSError:
            self._drop_descriptor()
            remove_file(path)
            raise
        self._named += 1
        self._number += 1
        self._open = Segment(path, self._number, time.monotonic(), len(MAGIC))
        self._held += len(MAGIC)
        return self._open

    def _cut_back(self, segment: Segment) -> None:
        """Leave only what was acknowledged, and write no more: after a failed fsync a file cannot be trusted."""
        with suppress(OSError):
            os.ftruncate(self._descriptor, segment.bytes)
        self._seal()

    def _seal(self) -> None:
        segment = self._open
        assert segment is not None
        self._drop_descriptor()
        with self._changed:
            self._open = None
            self._seal_now = False
            if not segment.rows:
                remove_file(segment.path)
                self._held -= segment.bytes
                return
            if self._kept + segment.kept_bytes > KEPT_BYTES_MAX:
                segment.kept = None
            self._kept += segment.kept_bytes
            self._sealed.append(segment)
            self._changed.notify_all()

    def _drop_descriptor(self) -> None:
        if self._descriptor >= 0:
            with suppress(OSError):
                os.close(self._descriptor)
        self._descriptor = -1

    def _fail(self, entries: list[_Entry], error: Exception) -> None:
        words = error.strerror if isinstance(error, OSError) and error.strerror else repr(error)
        self._counts.add("journal_failures")
        if self.failure is None:
            _log.warning("The journal cannot be written; clients are told to come back: %s", words)
        self.failure = f"the journal cannot be written: {words}"
        for entry in entries:
            entry.written.set_exception(BusyError(self.failure))

    def _wake_readers(self) -> None:
        oldest = next(iter(self._unstored), None)
        waiting = []
        for number, future in self._readers:
            if oldest is None or number < oldest:
                future.set_result(None)
            else:
                waiting.append((number, future))
        self._readers = waiting


def _lock(folder: Path) -> int:
    """Take the folder for this process alone; the lock goes with the process, however that ends."""
    try:
        make_folder(folder)
        descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise CollectorError(
            f"the journal's folder {folder} cannot be written: {error.strerror}; choose another with FAREBOX_JOURNAL"
        ) from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise CollectorError(
            f"the journal {folder} is held by another `farebox up`; stop that, or choose another with FAREBOX_JOURNAL"
        ) from None
    return descriptor
