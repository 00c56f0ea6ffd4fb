"""What the seam notes of one HTTP attempt: raw facts and references, nothing parsed.

An attempt never holds the response object: the SDKs rely on it being freed at once when a caller drops a stream.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any, Protocol

from farebox import _clock
from farebox._ask_usage import UsageFilter
from farebox._endpoints import Endpoint
from farebox._form import form_of
from farebox._headers import picked
from farebox._tags import current_tags

__all__ = ["CHUNKS_TIMED", "RESPONSE_BYTES_MAX", "Attempt", "ClientState", "content_of"]

# How a response body ended, as seen at the seam.
READ, CLOSED, DROPPED, FAILED, CANCELLED, NOT_SENT = (
    "read",
    "closed",
    "dropped",
    "failed",
    "cancelled",
    "not_sent",
)

# Only the first chunks are timed: they hold the first token, and timing each would cost on long streams.
CHUNKS_TIMED = 64
# Of a longer response the middle is forgotten: usage stands at the start and at the end.
RESPONSE_BYTES_MAX = 16 * 1024 * 1024

# (call id, trace id, attempt number, path) of the last attempt in this context: a retry belongs to the call before it.
_last: ContextVar[tuple[int, int, int, str] | None] = ContextVar("farebox_last_attempt", default=None)


class ClientState(Protocol):
    """What a wrapped client gives to each of its attempts."""

    defaults: Mapping[str, str]
    ask_usage: bool
    content: Any  # what exports the content of attempts; None: content stays in the process

    def parent(self) -> Any:
        """Return the context of the caller's active span, None without one."""

    def next_number(self) -> int:
        """Return the next `farebox.seq`."""

    def submit(self, attempt: Attempt) -> None:
        """Queue an ended attempt."""

    def crowded(self) -> bool:
        """Tell whether so much waits that what follows should be small."""

    def emit(self, attempt: Attempt) -> None:
        """Make the span of an ended attempt; runs on the recorder thread."""


class Attempt:
    """One HTTP attempt. Times: `started_ns` is wall-clock UTC, the others are seconds of one monotonic clock."""

    __slots__ = (
        "asked_usage",
        "attempt",
        "body",
        "call_id",
        "chunk_times",
        "chunks",
        "encoded",
        "ended",
        "ended_at",
        "endpoint",
        "error",
        "headers",
        "headers_at",
        "hide",
        "parent",
        "response_class",
        "sent",
        "seq",
        "span_id",
        "started_at",
        "started_ns",
        "state",
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
        state: ClientState,
    ) -> None:
        self.endpoint = endpoint
        self.state = state
        self.tags = current_tags()
        self.parent = state.parent()
        self.url = request.url
        self.sent = picked(request.headers)
        self.body = content_of(request) or (form_of(request) if endpoint.form else b"")
        self.status: int | None = None
        self.headers: Mapping[str, str] | None = None
        self.response_class: Any = None
        self.chunks: list[bytes] = []
        self.chunk_times: list[float] = []
        self.encoded = False
        self.asked_usage = False
        self.hide: UsageFilter | None = None  # what takes the usage we asked for out of the caller's sight
        self.headers_at: float | None = None
        self.ended: str | None = None
        self.ended_at = 0.0
        self.error: type[BaseException] | None = None
        self._number(self.sent.get("x-stainless-retry-count"), path)
        self.seq = -1 if endpoint.read else state.next_number()
        self.started_ns = _clock.wall_ns()
        self.started_at = _clock.ticks_s()

    def _number(self, retry_count: str | None, path: str) -> None:
        noise = _clock.noise(24)
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
        self.headers_at = _clock.ticks_s()
        self.status = response.status_code
        self.headers = picked(response.headers)
        self.response_class = type(response)

    def end(self, how: str, error: BaseException | None = None) -> None:
        """Hand the attempt to the recorder; only the first call counts, from whichever thread."""
        if self.ended is not None:
            return
        self.ended = how
        self.ended_at = _clock.ticks_s()
        if error is not None:
            self.error = type(error)
        self.state.submit(self)

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


def content_of(message: Any) -> bytes:
    """Return the body of an HTTP message that is in memory, nothing of one that is not."""
    try:
        content: bytes = message.content
    except Exception:  # noqa: BLE001 - RequestNotRead or ResponseNotRead, whichever HTTP library it is
        return b""
    return content
