"""What is noted of a WebSocket while its caller uses it: which messages, when, in whose context; nothing is parsed.

Messages that carry pieces of text or sound are passed over; what tells a response's beginning, end and usage is kept,
and handed to the recorder at each end.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol

from farebox import _attempt as ends
from farebox import _clock
from farebox._guard import swallow
from farebox._tags import current_tags

__all__ = ["Message", "SocketLog", "SocketState"]

MESSAGES_MAX = 1000
BYTES_MAX = 16 * 1024 * 1024
# Messages handed to the recorder in one piece, if nothing ends before.
MESSAGES_WAITING_MAX = 100

# Servers and the SDK write the type first; a message that does not is kept, and looked at later.
_TYPE = re.compile(rb'\{\s*"type"\s*:\s*"([a-z_.]+)"')
_ENDS = frozenset(
    {
        b"conversation.item.input_audio_transcription.completed",
        b"conversation.item.input_audio_transcription.failed",
        b"error",
        b"response.cancelled",
        b"response.completed",
        b"response.done",
        b"response.failed",
        b"response.incomplete",
    }
)
_KEPT = _ENDS | {b"response.created", b"session.created", b"session.updated"}
_ORDER = b'"response.create"'


@dataclass(frozen=True, slots=True)
class Context:
    """Where the caller stood: the tags and the span that were active, and the time."""

    tags: Mapping[str, str]
    parent: Any
    at: float
    ns: int


@dataclass(frozen=True, slots=True)
class Message:
    """A message as it went by; `order`: the context in which a response was asked for, None if the server sent it."""

    data: bytes
    at: float
    order: Context | None = None


class SocketState(Protocol):
    """What a wrapped client gives to each of its sockets."""

    defaults: Mapping[str, str]
    content: Any  # what exports the content of responses; None: content stays in the process

    def parent(self) -> Any:
        """Return the context of the caller's active span, None without one."""

    def next_number(self) -> int:
        """Return the next `farebox.seq`."""

    def submit(self, attempt: Any) -> None:
        """Queue what ended."""

    def put(self, span: Any) -> Any:
        """Put out a span, on the recorder thread; returns its context if it is not the one it was given."""


class SocketLog:
    """The messages of one socket that wait for the recorder, and what the recorder makes of them (`turns`)."""

    def __init__(self, state: SocketState, url_type: Any, socket: Callable[[], Any]) -> None:
        self.state = state
        self.url_type = url_type
        self.socket = socket
        self.opened = self._here()
        self.messages: deque[Message] = deque(maxlen=MESSAGES_MAX)
        self.how: str | None = None
        self.error: type[BaseException] | None = None
        self.ended_at = 0.0
        self.turns: Any = None
        self.request: Any = None
        self.response: Any = None
        self._bytes = self._kept = 0  # not handed on yet, and in memory; their sums are not locked
        self._want_delta = False

    def received(self, message: Any) -> None:
        """Note what the server sent."""
        try:
            data = message.encode() if isinstance(message, str) else message
            found = _TYPE.match(data)
            kind = found.group(1) if found else b""
            if kind and kind not in _KEPT and not (self._want_delta and kind.endswith(b".delta")):
                return
            self._want_delta = kind == b"response.created"
            self._keep(Message(bytes(data), _clock.ticks_s()), ending=kind in _ENDS)
        except Exception as error:  # noqa: BLE001 - this runs inside the caller's reading
            swallow("noting a message", error)

    def sent(self, message: Any) -> None:
        """Note what the client sent, if it asks for a response."""
        try:
            data = message.encode() if isinstance(message, str) else message
            found = _TYPE.match(data)
            if (found.group(1) == b"response.create") if found else _ORDER in data:
                order = self._here()
                self._keep(Message(bytes(data), order.at, order), ending=False)
        except Exception as error:  # noqa: BLE001
            swallow("noting a message", error)

    def failed(self, error: BaseException) -> None:
        """Note that the socket raised; that it is closed is its end, anything else its caller's business."""
        names = {base.__name__ for base in type(error).__mro__}
        if "ConnectionClosedOK" in names:
            self._end(ends.CLOSED)
        elif "ConnectionClosed" in names:
            self._end(ends.FAILED, type(error))

    def closed(self) -> None:
        """Note that the caller closes the socket."""
        self._end(ends.CLOSED)

    def __del__(self) -> None:
        with suppress(Exception):
            self._end(ends.DROPPED)

    def _end(self, how: str, error: type[BaseException] | None = None) -> None:
        if self.how is None:
            self.how, self.error, self.ended_at = how, error, _clock.ticks_s()
            self._look()
            self.state.submit(_Part(self, self._bytes))

    def _keep(self, message: Message, *, ending: bool) -> None:
        if not self.messages:
            self._kept = 0
        elif self._kept > BYTES_MAX:  # the recorder dropped what was handed on
            self.messages.clear()
            self._kept = 0
        self._look()
        self.messages.append(message)
        self._bytes += len(message.data)
        self._kept += len(message.data)
        if ending or len(self.messages) >= MESSAGES_WAITING_MAX:
            size, self._bytes = self._bytes, 0
            self.state.submit(_Part(self, size))

    def _look(self) -> None:
        """Take the heads of the opening request and response while there is a socket to ask."""
        if self.request is None and (socket := self.socket()) is not None:
            self.request, self.response = getattr(socket, "request", None), getattr(socket, "response", None)

    def _here(self) -> Context:
        return Context(current_tags(), self.state.parent(), _clock.ticks_s(), _clock.wall_ns())


class _Part:
    """What the recorder takes: all messages of a socket that wait by then."""

    __slots__ = ("_size", "log", "state")

    def __init__(self, log: SocketLog, size: int) -> None:
        self.log = log
        self.state = self
        self._size = size

    def size(self) -> int:
        """Bytes that this keeps alive."""
        return self._size

    def emit(self, _: Any) -> None:
        """Make spans of what ended; runs on the recorder thread."""
        from farebox._socket_turns import Turns

        log = self.log
        if log.turns is None:
            log.turns = Turns(log)
        log.turns.read()
