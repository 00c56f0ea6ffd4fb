"""Make one span of each response that came through a WebSocket; runs on the recorder thread.

Several sockets may show one response (a second connection to a call): its ids derive from its own, so it counts once.
What a session's socket does not tell the usage of leaves one span with `missing` usage, when it ends.
"""

from __future__ import annotations

import json
import sys
from collections import deque
from collections.abc import Iterator, Mapping
from types import SimpleNamespace
from typing import Any

from opentelemetry.trace import SpanContext

from farebox import _attempt as ends
from farebox._attempt import Attempt
from farebox._billed import derived_id
from farebox._body import parse_json
from farebox._describe import describe
from farebox._endpoints import Endpoint, endpoint_of
from farebox._headers import picked
from farebox._reading import mapping, text
from farebox._realtime import transcription_model_in
from farebox._socket_log import Context, Message, SocketLog
from farebox._spans import SpanData, note_call

__all__ = ["Turns"]

_REALTIME = Endpoint("realtime", "realtime")
_TRANSCRIPT = Endpoint("transcribe", "transcript")
_SESSION = Endpoint("realtime", "")
_HEARD = "conversation.item.input_audio_transcription.completed"
_TERMINAL = frozenset(f"response.{end}" for end in ("cancelled", "completed", "done", "failed", "incomplete"))
# Orders that no response has followed yet; more are of a caller who is refused again and again.
ORDERS_MAX = 100


class Turns:
    """The responses that one socket has begun, and the session they are part of."""

    def __init__(self, log: SocketLog) -> None:
        self._log = log
        request, url_type = log.request, log.url_type
        self._headers = _headers(url_type, getattr(request, "headers", None))
        came = _headers(url_type, getattr(log.response, "headers", None))
        came["content-type"] = "text/event-stream"
        self._came = picked(came)
        host = self._headers.get("host", "")
        self._url = url_type(f"https://{host}{getattr(request, 'path', '/')}")
        self._endpoint = self._endpoint_of_path()
        self._model: str | None = self._url.params.get("model") or self._url.params.get("deployment")
        self._transcription_model: str | None = None
        self._orders: deque[Message] = deque(maxlen=ORDERS_MAX)
        self._open: dict[str, tuple[Message, list[Message]]] = {}

    def read(self) -> None:
        """Take the messages that wait; at the socket's end, what is still open ends with it."""
        log = self._log
        while log.messages:
            self._take(log.messages.popleft())
        if log.how is None:
            return
        open_turns, self._open = self._open, {}
        for response_id, (order, messages) in open_turns.items():
            self._emit(response_id, order, messages, how=log.how, at=log.ended_at)
        if self._endpoint is _SESSION:
            self._emit("", Message(b"", log.opened.at, log.opened), [], how=ends.READ, at=log.ended_at)

    def _endpoint_of_path(self) -> Endpoint:
        path = self._url.path
        if path.endswith("/realtime"):
            return _REALTIME
        found = endpoint_of("POST", path)
        return found if found is not None and found.shape == "responses" else _SESSION

    def _take(self, message: Message) -> None:
        event = mapping(parse_json(message.data))
        kind = text(event.get("type")) or ""
        if message.order is not None:
            if kind == "response.create":
                self._orders.append(message)
        elif kind.startswith("session."):
            session = mapping(event.get("session"))
            self._model = text(session.get("model")) or self._model
            self._transcription_model = transcription_model_in(session) or self._transcription_model
        elif kind == _HEARD:
            self._heard(event, message)
        elif kind == "error":
            self._refused(event, message)
        elif kind.startswith("response.") and self._endpoint is not _SESSION:
            self._response(event, kind, message)

    def _response(self, event: Mapping[str, Any], kind: str, message: Message) -> None:
        named = text(event.get("response_id")) or text(mapping(event.get("response")).get("id"))
        if named is None:
            if len(self._open) != 1:
                return
            (named,) = self._open  # the pieces of a Responses stream do not repeat the id
        if named not in self._open:
            if kind.endswith(".delta"):
                return
            order = self._orders.popleft() if self._orders else Message(b"", message.at, self._log.opened)
            self._open[named] = (order, [])
        order, messages = self._open[named]
        messages.append(message)
        if kind in _TERMINAL:
            del self._open[named]
            self._emit(named, order, messages, how=ends.READ, at=message.at)

    def _refused(self, event: Mapping[str, Any], message: Message) -> None:
        """Take an error that answers an order in place of a response: it was refused before any work."""
        if self._endpoint is not _REALTIME and self._orders and not self._open:
            status = event.get("status")
            turn = Turn(self, self._orders.popleft(), [message], self._endpoint)
            turn.status = status if isinstance(status, int) and status >= 400 else 400
            turn.chunks = [message.data]
            turn.ended, turn.ended_at = ends.READ, message.at
            self._put(turn, derived=False)

    def _heard(self, event: Mapping[str, Any], message: Message) -> None:
        """Bill what was written down of the user's speech: another model does it, beside the response."""
        body = json.dumps({"model": self._transcription_model}).encode() if self._transcription_model else b""
        order = Message(body, message.at, self._log.opened)
        identity = f"{event.get('item_id')}/transcription/{event.get('content_index')}"
        self._emit(identity, order, [message], how=ends.READ, at=message.at, endpoint=_TRANSCRIPT)

    def _emit(
        self,
        identity: str,
        order: Message,
        messages: list[Message],
        *,
        how: str,
        at: float,
        endpoint: Endpoint | None = None,
    ) -> None:
        turn = Turn(self, order, messages, endpoint or self._endpoint)
        turn.ended, turn.ended_at = how, at
        if how == ends.FAILED:
            turn.error = self._log.error
        if identity:
            turn.trace_id, turn.span_id = derived_id(identity, 16), derived_id(identity, 8)
        self._put(turn, derived=bool(identity))

    def _put(self, turn: Turn, *, derived: bool) -> None:
        turn.call_id = turn.span_id
        described = describe(turn)
        note_call(described.attributes, turn.started_at, turn.ended_at)
        state = self._log.state
        for description in (described, *described.apart):
            own = description is described
            context = state.put(
                SpanData(
                    trace_id=turn.trace_id,
                    span_id=turn.span_id if own else derived_id(description.identity, 8),
                    parent=None if own else turn.context(),
                    name=description.name,
                    started_ns=turn.started_ns,
                    ended_ns=turn.started_ns + round((turn.ended_at - turn.started_at) * 1_000_000_000),
                    attributes=description.attributes,
                    error=description.error,
                    derived=derived,
                    link=turn.parent if own else None,
                )
            )
            if own and state.content is not None:
                state.content(turn, context or turn.context(), described.attributes)


class Turn(Attempt):
    """A response, or what else is billed, in the shape of an attempt: its messages are the events of a stream."""

    __slots__ = ()

    def __init__(self, turns: Turns, order: Message, messages: list[Message], endpoint: Endpoint) -> None:
        context: Context = order.order or turns._log.opened
        asked = order.data or (json.dumps({"model": turns._model}).encode() if turns._model else b"")
        request = SimpleNamespace(url=turns._url, headers=turns._headers, content=_request_body(asked, turns._model))
        super().__init__(request, endpoint, turns._url.path, turns._log.state)  # type: ignore[arg-type]
        self.tags, self.parent = context.tags, context.parent
        # What the server began by itself, at the end of the user's words, began when it said so.
        began = order.at if order.data and order.order is not turns._log.opened else None
        self.started_at = began if began is not None else (messages[0].at if messages else order.at)
        self.started_ns = context.ns + round((self.started_at - context.at) * 1_000_000_000)
        self.status, self.headers = 200, turns._came
        self.chunks = list(map(_event, messages))
        self.chunk_times = [message.at for message in messages]

    def context(self) -> SpanContext:
        """Return the context of this response's span, for what is billed beside it."""
        return SpanContext(self.trace_id, self.span_id, is_remote=False)


def _event(message: Message) -> bytes:
    """Lay a message out as a server-sent event; a line break in JSON is white space."""
    return b"data: " + message.data.replace(b"\n", b" ").replace(b"\r", b" ") + b"\n\n"


def _request_body(asked: bytes, model: str | None) -> bytes:
    """Return what was asked for as one JSON object, with the model: a session names it once."""
    body = mapping(parse_json(asked))
    fields = {**mapping(body.get("response")), **body} if "response" in body else dict(body)
    if text(fields.get("model")) is None and model is not None:
        fields["model"] = model
    return json.dumps(fields, default=str).encode() if fields else b""


def _headers(url_type: Any, found: Any) -> Any:
    """Return headers of the HTTP library's kind, of a WebSocket's opening request or response."""
    library = sys.modules[url_type.__module__.partition(".")[0]]
    return library.Headers(list(_pairs(found)))


def _pairs(found: Any) -> Iterator[tuple[str, str]]:
    if found is not None:
        yield from found.raw_items()
