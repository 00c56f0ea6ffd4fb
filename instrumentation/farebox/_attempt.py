"""What the seam notes of one HTTP attempt: raw facts and references, nothing parsed.

An attempt never holds the response object: the SDKs rely on it being freed at once when a caller drops a stream.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from typing import Any

from farebox._endpoints import Endpoint
from farebox._tags import current_tags

__all__ = ["CHUNKS_TIMED", "RESPONSE_BYTES_MAX", "Attempt", "Ends"]

# How a response body ended, as seen at the seam.
Ends = str
READ, CLOSED, DROPPED, FAILED, CANCELLED, NOT_SENT = "read", "closed", "dropped", "failed", "cancelled", "not_sent"

# Only the first chunks are timed: they hold the first token, and timing each would cost on long streams.
CHUNKS_TIMED = 64
# Of a longer response the middle is forgotten: usage stands at the start and at the end.
RESPONSE_BYTES_MAX = 16 * 1024 * 1024

# (call id, trace id, attempt number, path) of the last attempt in this context: a retry belongs to the call before it.
_last: ContextVar[tuple[int, int, int, str] | None] = ContextVar("farebox_last_attempt", default=None)


class Attempt:
    """One HTTP attempt. Times: `started_ns` is wall-clock UTC, the others are seconds of one monotonic clock."""

    __slots__ = (
        "attempt",
        "body",
        "call_id",
        "chunk_times",
        "chunks",
        "defaults",
        "encoded",
        "endpoint",
        "ended",
        "ended_at",
        "error",
        "headers",
        "headers_at",
        "hidden",
        "parent",
        "request_headers",
        "response_class",
        "seq",
        "sink",
        "span_id",
        "started_at",
        "started_ns",
        "status",
        "tags",
        "trace_id",
        "url",
    )

    def __init__(
        self,
        request: Any,
        endpoint: Endpoint,
        path: str,
        defaults: Mapping[str, str],
        parent: Any,
        sink: Callable[[Attempt], None],
    ) -> None:
        self.endpoint = endpoint
        self.defaults = defaults
        self.tags = current_tags()
        self.parent = parent
        self.sink = sink
        self.url = request.url
        self.request_headers = headers = request.headers
        self.body: bytes = getattr(request, "_content", b"")
        self.status: int | None = None
        self.headers: Any = None
        self.response_class: Any = None
        self.chunks: list[bytes] = []
        self.chunk_times: list[float] = []
        self.encoded = False
        self.hidden = False
        self.headers_at: float | None = None
        self.ended: Ends | None = None
        self.ended_at = 0.0
        self.error: type[BaseException] | None = None
        self._number(headers.get("x-stainless-retry-count"), path)
        self.started_ns = time.time_ns()
        self.started_at = time.perf_counter()

    def _number(self, retry_count: str | None, path: str) -> None:
        noise = os.urandom(24)  # not `random`: a host that seeds it would repeat our ids
        self.span_id = int.from_bytes(noise[:8], "big") or 1
        last = _last.get()
        if retry_count not in (None, "0") and last is not None and last[3] == path:
            self.call_id, self.trace_id, self.attempt = last[0], last[1], last[2] + 1
        else:
            self.call_id, self.attempt = self.span_id, 0
            self.trace_id = self.parent.trace_id if self.parent is not None else int.from_bytes(noise[8:], "big") or 1
        _last.set((self.call_id, self.trace_id, self.attempt, path))

    def got(self, response: Any) -> None:
        """Note the head of the response."""
        self.headers_at = time.perf_counter()
        self.status = response.status_code
        self.headers = response.headers
        self.response_class = type(response)

    def end(self, how: Ends, error: BaseException | None = None) -> None:
        """Hand the attempt to the recorder; only the first call counts, from whichever thread."""
        if self.ended is not None:
            return
        self.ended = how
        self.ended_at = time.perf_counter()
        if error is not None:
            self.error = type(error)
        self.sink(self)

    def forget_middle(self) -> None:
        """Keep the first and last part of a response that is longer than RESPONSE_BYTES_MAX."""
        size = sum(map(len, self.chunks))
        if size <= RESPONSE_BYTES_MAX:
            return
        keep = len(self.chunks) // 4
        del self.chunks[keep:-keep]
        if sum(map(len, self.chunks)) > RESPONSE_BYTES_MAX:
            del self.chunks[len(self.chunks) // 4 : -max(1, len(self.chunks) // 8)]

    def size(self) -> int:
        """Bytes this attempt keeps alive while it waits."""
        return len(self.body) + sum(map(len, self.chunks))
