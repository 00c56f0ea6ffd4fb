"""Take long responses apart line by line while they are read: files of results, which may be larger than memory is.

What the caller reads is handed to the recorder in parts; each part becomes spans before the next one is looked at. When
the recorder falls behind, the lines are boiled down to their counts before they wait.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from copy import copy
from typing import Any

from farebox._attempt import RESPONSE_BYTES_MAX, Attempt, ClientState
from farebox._batches import boiled
from farebox._body import decode_chunks
from farebox._endpoints import Endpoint
from farebox._guard import swallow

__all__ = ["BOILED", "PART", "LongRead"]

PART_BYTES = 64 * 1024
# Of a response whose encoding can only be undone as a whole.
HELD_BYTES_MAX = 64 * 1024 * 1024
# How an attempt "ended" that is only a part of a response, as it came or boiled down.
PART, BOILED = "part", "boiled"
_INFLATED = ("gzip", "x-gzip", "deflate")


class LongRead(Attempt):
    """An attempt whose response is recorded in parts; the parts are copies of it, which share what is not told anew."""

    __slots__ = ("_counts", "_lines")

    def __init__(self, request: Any, endpoint: Endpoint, path: str, state: ClientState) -> None:
        super().__init__(request, endpoint, path, state)
        self.chunks = _Waiting(self)
        self._lines = _Lines()
        self._counts: list[int] = []

    def lines(self) -> Iterator[bytes]:
        """Yield the lines of this part; those that the caller did not read to the end are left out."""
        data = list(self.chunks)
        if self.ended == PART:
            yield from self._lines.feed(self, data)
        elif self.ended == BOILED:
            yield from zlib.decompress(data[0]).split(b"\n")
        else:
            self.chunks = []  # it refers to this attempt
            yield from self._lines.feed(self, data)
            yield from self._lines.rest()

    def count(self, results: int) -> int:
        """Add the number of results in this part; return how many there were so far."""
        self._counts.append(results)
        return sum(self._counts)

    def hand_on(self, data: bytes) -> None:
        """Queue a part, boiled down if the recorder is behind."""
        part = copy(self)
        part.chunks, part.ended = [data], PART
        if not self.encoded and self.state.crowded():
            part.chunks, part.ended = [zlib.compress(boiled(data), 1)], BOILED
        self.state.submit(part)


class _Waiting(list[bytes]):
    """Chunks that wait to be handed on; the length counts those that were, as the tap goes by it."""

    def __init__(self, attempt: LongRead) -> None:
        super().__init__()
        self._attempt = attempt
        self._appended = self._size = 0
        self._enough = PART_BYTES
        self._looked = self._given_up = False

    def __len__(self) -> int:
        return self._appended

    def append(self, chunk: bytes) -> None:
        self._appended += 1
        if self._given_up:
            return
        super().append(chunk)
        self._size += len(chunk)
        if self._size >= self._enough:
            try:
                self._hand_on()
            except Exception as error:  # noqa: BLE001 - this runs inside the caller's reading
                self._give_up()
                swallow("handing a part of a response on", error)

    def _hand_on(self) -> None:
        data = b"".join(self)
        attempt = self._attempt
        if not self._looked:
            self._looked = True
            refused = attempt.status is None or attempt.status >= 400
            if refused or (not attempt.encoded and attempt.endpoint.mark not in data):
                self._give_up()
                return
        start = 0
        while start < len(data):
            end = len(data) if attempt.encoded else _line_end(data, start)
            if end <= start:
                break
            attempt.hand_on(data[start:end])
            start = end
        self.clear()
        self._size = len(data) - start
        self._enough = max(PART_BYTES, 2 * self._size)  # a line that is longer than a part is not joined for each chunk
        if self._size > RESPONSE_BYTES_MAX:
            self._give_up()
        elif self._size:
            super().append(data[start:])

    def _give_up(self) -> None:
        self._given_up = True
        self.clear()


def _line_end(data: bytes, start: int) -> int:
    """Return where the last line that fits into a part ends, or the first one if it is longer; `start` if none ends."""
    end = data.rfind(b"\n", start, start + PART_BYTES) + 1
    return end if end > start else max(start, data.find(b"\n", start) + 1)


class _Lines:
    """Decodes parts one after another and gives their whole lines; used by the recorder thread alone."""

    def __init__(self) -> None:
        self._begun = b""
        self._held: list[bytes] = []
        self._inflate: Any = None

    def feed(self, attempt: LongRead, chunks: list[bytes]) -> Iterator[bytes]:
        data = b"".join(self._decoded(attempt, chunks))
        *whole, self._begun = (self._begun + data).split(b"\n")
        return iter(whole)

    def rest(self) -> Iterator[bytes]:
        """Yield the last line, which need not end in a newline."""
        begun, self._begun = self._begun, b""
        return iter([begun] if begun else [])

    def _decoded(self, attempt: LongRead, chunks: list[bytes]) -> list[bytes]:
        if not attempt.encoded:
            return chunks
        encoding = (attempt.headers or {}).get("content-encoding", "").strip().lower()
        if encoding in _INFLATED:
            self._inflate = self._inflate or zlib.decompressobj(zlib.MAX_WBITS | 32)
            return [self._inflate.decompress(chunk) for chunk in chunks]
        if sum(map(len, self._held)) < HELD_BYTES_MAX:
            self._held.extend(chunks)
        if attempt.ended == PART:
            return []
        return decode_chunks(self._held, encoding, attempt.response_class)
