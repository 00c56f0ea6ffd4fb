"""Keep what is not delivered yet in a folder, so that a process may end, or be killed, before the collector is back.

One file a request, written aside and renamed, readable by its owner alone. Any later process that spools into the same
folder delivers it too; two that do so at once lose nothing, since the ledger keeps a span once.
"""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from farebox import _clock
from farebox._guard import swallow
from farebox._identity import instance_id

try:
    import fcntl
except ImportError:  # Windows: two processes may send the same file, and the ledger keeps its spans once
    fcntl = None  # type: ignore[assignment]

__all__ = ["Spool", "Spooled"]

SUFFIX, BEGUN, REFUSED = ".otlp", ".begun", ".refused"
# How often the folder is looked through for what other processes left, and for how full it is.
LOOK_EVERY_S = 30.0
BEGUN_HOURS_MAX = 1


@dataclass(frozen=True, slots=True)
class Spooled:
    """A request in the folder, and how many spans it holds."""

    path: Path
    spans: int

    def done(self) -> None:
        """Remove it: the collector has it."""
        self.path.unlink(missing_ok=True)

    def refused(self) -> None:
        """Set it aside: the collector will never take it; a person may look."""
        with suppress(FileNotFoundError):
            self.path.rename(self.path.with_suffix(REFUSED))


class Spool:
    """A folder of requests, at most `bytes_max` of them together; used by one thread."""

    def __init__(self, folder: Path, bytes_max: int) -> None:
        self._folder, self._bytes_max = folder, bytes_max
        self._numbers = itertools.count()
        self._bytes = 0
        self._looked_at = float("-inf")
        self._files: dict[str, Spooled] = {}

    def after_fork(self) -> None:
        """Leave to the parent what is the parent's; the child finds it if the parent ends first."""
        self._files.clear()
        self._looked_at = float("-inf")

    @property
    def waiting(self) -> int:
        """Spans that this process has put into the folder and that are still there."""
        own = f"-{instance_id()}-"
        return sum(file.spans for name, file in list(self._files.items()) if own in name)

    def keep(self, body: bytes, spans: int) -> bool:
        """Write one request down; False where there is no room for it or the folder takes nothing."""
        self._look()
        if self._bytes + len(body) > self._bytes_max:
            return False
        name = f"{_clock.wall_ns():020d}-{instance_id()}-{next(self._numbers)}-{spans}"
        begun = self._folder / (name + BEGUN)
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with open(os.open(begun, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(body)
            path = begun.rename(begun.with_suffix(SUFFIX))
        except OSError as error:
            swallow("writing to FAREBOX_SPOOL_DIR", error)
            with suppress(OSError):
                begun.unlink(missing_ok=True)
            return False
        self._bytes += len(body)
        self._files[path.name] = Spooled(path, spans)
        return True

    @contextmanager
    def oldest(self) -> Iterator[tuple[Spooled, bytes] | None]:
        """Claim the request that has waited longest; None if there is none that can be read and is not being sent."""
        self._look()
        for name in sorted(self._files):
            file = self._files[name]
            with _claimed(file.path) as body:
                if body is not None:
                    yield file, body
                if not file.path.exists():  # delivered or refused, by us or by another process
                    del self._files[name]
                    if body is not None and not file.path.with_suffix(REFUSED).exists():
                        self._bytes -= len(body)
                if body is not None:
                    return
        yield None

    def _look(self) -> None:
        """Look through the folder, now and then."""
        if time.monotonic() - self._looked_at < LOOK_EVERY_S:
            return
        self._looked_at = time.monotonic()
        self._files.clear()
        self._bytes = 0
        try:
            for entry in os.scandir(self._folder):
                with suppress(FileNotFoundError):
                    self._meet(entry)
        except FileNotFoundError:
            pass
        except OSError as error:
            swallow("looking into FAREBOX_SPOOL_DIR", error)

    def _meet(self, entry: os.DirEntry[str]) -> None:
        status = entry.stat()
        if entry.name.endswith(SUFFIX):
            self._bytes += status.st_size
            spans = entry.name.removesuffix(SUFFIX).rpartition("-")[2]
            self._files[entry.name] = Spooled(Path(entry.path), int(spans) if spans.isdigit() else 0)
        elif entry.name.endswith(REFUSED):
            self._bytes += status.st_size  # they take room until a person has looked
        elif entry.name.endswith(BEGUN) and time.time() - status.st_mtime > BEGUN_HOURS_MAX * 3600:
            os.unlink(entry.path)  # its writer was killed in the middle of it


@contextmanager
def _claimed(path: Path) -> Iterator[bytes | None]:
    """Lock a file for as long as it is being sent, and read it; None where it is gone, locked, or cannot be read."""
    try:
        file = path.open("rb")
    except FileNotFoundError:
        yield None
        return
    except OSError as error:
        swallow("reading FAREBOX_SPOOL_DIR", error)
        yield None
        return
    with file:
        if fcntl is not None:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield None
                return
        yield file.read() if os.fstat(file.fileno()).st_nlink else None
