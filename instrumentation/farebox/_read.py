"""Read the bytes of an attempt: pick the reader of its shape and feed it the body or the stream."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from farebox._anthropic import AnthropicReader
from farebox._attempt import READ
from farebox._aws_events import AWS_STREAM, aws_events
from farebox._body import decode_chunks, parse_json, sse_events
from farebox._media import MEDIA, read_media
from farebox._openai import ChatReader, EmbeddingsReader, ResponsesReader
from farebox._reading import ReaderFactory, Reading
from farebox._realtime import RealtimeReader

if TYPE_CHECKING:
    from farebox._attempt import Attempt

__all__ = ["is_stream", "read_body", "read_events", "read_request", "read_response"]

READERS: dict[str, ReaderFactory] = {
    "anthropic": AnthropicReader,
    "chat": ChatReader,
    "decision": EmbeddingsReader,
    "embeddings": EmbeddingsReader,
    "realtime": RealtimeReader,
    "responses": ResponsesReader,
}


def read_request(attempt: Attempt) -> Mapping[str, Any]:
    """Return the JSON object that was sent, an empty one where the body is of another kind."""
    body = parse_json(attempt.body) if attempt.body else None
    return body if isinstance(body, Mapping) else {}


def read_response(attempt: Attempt, provider: str) -> Reading:
    """Read what came back, as far as it came."""
    if attempt.status is None:
        return Reading()
    chunks = _decoded(attempt)
    if attempt.status >= 400:
        return _error(b"".join(chunks))
    shape = attempt.endpoint.shape
    if shape in MEDIA:
        whole = attempt.ended == READ
        return read_media(shape, chunks, read_request(attempt), stream=is_stream(attempt), whole=whole)
    factory = READERS.get(shape)
    if factory is None:
        return Reading(complete=True)
    reader = factory(provider)
    if is_stream(attempt):
        for data, chunk in _events(attempt, chunks):
            if data == b"[DONE]":
                reader.done()
                continue
            event = parse_json(data)
            if isinstance(event, Mapping):
                reader.event(event, chunk)
    else:
        body = parse_json(b"".join(chunks))
        if isinstance(body, Mapping):
            reader.body(body)
    return reader.finish()


def read_events(attempt: Attempt) -> Iterator[Mapping[str, Any]]:
    """Yield the JSON objects of a stream's events, as far as it came."""
    for data, _ in _events(attempt, _decoded(attempt)):
        event = parse_json(data)
        if isinstance(event, Mapping):
            yield event


def read_body(attempt: Attempt) -> Any:
    """Return the JSON that came back whole, None where it is none."""
    return parse_json(b"".join(_decoded(attempt)))


def is_stream(attempt: Attempt) -> bool:
    """Tell whether the response came as events: server-sent ones, or AWS's frames."""
    if attempt.headers is None:
        return False
    kind = attempt.headers.get("content-type", "")
    return "event-stream" in kind or AWS_STREAM in kind


def _events(attempt: Attempt, chunks: list[bytes]) -> Iterator[tuple[bytes, int]]:
    """Yield the data of each event, with the index of the chunk that completed it."""
    framed = AWS_STREAM in (attempt.headers or {}).get("content-type", "")
    return aws_events(chunks) if framed else sse_events(chunks)


def _decoded(attempt: Attempt) -> list[bytes]:
    if not attempt.encoded:
        return attempt.chunks
    return decode_chunks(attempt.chunks, (attempt.headers or {}).get("content-encoding", ""), attempt.response_class)


def _error(raw: bytes) -> Reading:
    """Read an error body: Anthropic's and OpenAI's envelopes, or whatever object a gateway sends."""
    body = parse_json(raw)
    if not isinstance(body, Mapping):
        return Reading()
    error = body.get("error")
    return Reading(error=error if isinstance(error, Mapping) else body)
