"""Encode spans and log records as OTLP protobuf, each to bytes of its own, so that a queue can be bounded in bytes.

Attributes repeat from span to span (models, routes, hosts); their encoded form is remembered. The result equals the
stock encoder's, which a test holds it to. Source: opentelemetry-proto 1.x, trace/v1/trace.proto and logs/v1/logs.proto.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from farebox import semconv

__all__ = ["Envelope", "encode_log", "encode_span", "encoded_size"]

REMEMBERED_MAX = 4096
# Numbers differ from span to span; remembering them would push out what repeats.
_WORTH_REMEMBERING = frozenset({str, bool})

# Ids differ as well.
_EACH_ITS_OWN = frozenset({semconv.CALL_ID, semconv.REQUEST_ID, semconv.RESPONSE_ID})

_64_BITS = 2**64 - 1
_SMALL_MAX = 1024
_SMALL = [bytes([number] if number < 128 else [number & 127 | 128, number >> 7]) for number in range(_SMALL_MAX)]
_times = struct.Struct("<cQcQ").pack
_fixed32 = struct.Struct("<I").pack
_double = struct.Struct("<cd").pack
_remembered: dict[tuple[str, Any], bytes] = {}

_STATUS_CODE_ERROR = b"\x18\x02"

# SpanFlags: bit 8 says that bit 9 is meant, bit 9 that the parent is in another process.
_HAS_IS_REMOTE, _IS_REMOTE = 0x100, 0x200
# The trace flags of a record: all farebox's spans are sampled.
_SAMPLED = 0x01


def encode_span(
    ids: tuple[int, int, int],
    name: str,
    times: tuple[int, int],
    attributes: Mapping[str, Any],
    *,
    remote: bool = False,
    error: str | None = None,
    link: tuple[int, int] | None = None,
) -> bytes:
    """Encode one span of kind CLIENT.

    ids: trace, span and parent span (0: none). times: start and end, ns since 1970 UTC. error: the status's sentence.
    link: trace and span id of a span of this process that it is linked to.
    """
    trace_id, span_id, parent_id = ids
    text = _text(name)
    parts = [b"\x0a\x10", trace_id.to_bytes(16, "big"), b"\x12\x08", span_id.to_bytes(8, "big")]
    if parent_id:
        parts += (b"\x22\x08", parent_id.to_bytes(8, "big"))
    parts += (b"\x2a", _varint(len(text)), text, b"\x30\x03", _times(b"\x39", times[0], b"\x41", times[1]))
    for key, value in attributes.items():
        parts.append(_attribute(key, value))
    if link is not None:
        target = b"\x0a\x10" + link[0].to_bytes(16, "big") + b"\x12\x08" + link[1].to_bytes(8, "big")
        parts.append(_field(b"\x6a", target + b"\x35" + _HAS_IS_REMOTE.to_bytes(4, "little")))
    status = b"" if error is None else (_field(b"\x12", _text(error)) if error else b"") + _STATUS_CODE_ERROR
    flags = _HAS_IS_REMOTE | (_IS_REMOTE if remote else 0)
    parts += (b"\x7a", _varint(len(status)), status, b"\x85\x01", flags.to_bytes(4, "little"))
    return b"".join(parts)


def encode_log(ids: tuple[int, int], event: str, times: tuple[int, int], attributes: Mapping[str, Any]) -> bytes:
    """Encode one log record that is an event of a span.

    ids: of the trace and the span. times: of the event and of its observation, ns since 1970 UTC.
    """
    parts = [_times(b"\x09", times[0], b"\x59", times[1])]
    parts += [_field(b"\x32", _key(key) + _field(b"\x12", _any_value(value))) for key, value in attributes.items()]
    parts += [
        b"\x45",
        _fixed32(_SAMPLED),
        b"\x4a\x10",
        ids[0].to_bytes(16, "big"),
        b"\x52\x08",
        ids[1].to_bytes(8, "big"),
    ]
    parts.append(_field(b"\x62", _text(event)))
    return b"".join(parts)


def encoded_size(value: Any) -> int:
    """Return how many bytes a value takes as an attribute's."""
    return len(_any_value(value))


class Envelope:
    """What stands around spans, or log records, in a request: the resource and the scope of a process.

    The messages of both signals have the same fields under the same numbers.
    """

    def __init__(self, resource: Mapping[str, Any], scope: str, version: str) -> None:
        pairs = [_key(key) + _field(b"\x12", _any_value(value)) for key, value in resource.items()]
        self._resource = _field(b"\x0a", b"".join(_field(b"\x0a", pair) for pair in pairs))
        self._scope = _field(b"\x0a", _field(b"\x0a", _text(scope)) + _field(b"\x12", _text(version)))

    def around(self, spans: Sequence[bytes]) -> bytes:
        """Return the ExportTraceServiceRequest, or ExportLogsServiceRequest, that holds these encoded members."""
        scope_spans = self._scope + b"".join(_field(b"\x12", span) for span in spans)
        return _field(b"\x0a", self._resource + _field(b"\x12", scope_spans))


def _attribute(key: str, value: Any) -> bytes:
    worth = type(value) in _WORTH_REMEMBERING and key not in _EACH_ITS_OWN
    if worth:
        known = _remembered.get((key, value))
        if known is not None:
            return known
    head, content = _key(key), _any_value(value)
    size = _varint(len(content))
    made = b"".join((b"\x4a", _varint(len(head) + 1 + len(size) + len(content)), head, b"\x12", size, content))
    if worth:
        if len(_remembered) >= REMEMBERED_MAX:
            _remembered.clear()
        _remembered[key, value] = made
    return made


@lru_cache(maxsize=REMEMBERED_MAX)
def _key(key: str) -> bytes:
    return _field(b"\x0a", _text(key))


def _any_value(value: Any) -> bytes:
    """Encode an AnyValue by hand: the message classes take several times as long."""
    kind = type(value)
    if kind is int and 0 <= value < _SMALL_MAX:
        return b"".join((b"\x18", _SMALL[value]))
    match value:
        case str():
            return _field(b"\x0a", _text(value))
        case bool():
            return b"\x10\x01" if value else b"\x10\x00"
        case int():
            # What no 64-bit integer can hold is kept as text, for the ledger to say that it is absurd.
            if -(2**63) <= value < 2**63:
                return b"\x18" + _varint(value & _64_BITS)
        case float():
            return _double(b"\x21", value)
        case None:
            return b""
        case Mapping():
            # Not by `_key`, which remembers: these keys may be a call's own content.
            members = ((_field(b"\x0a", _text(key)), _any_value(member)) for key, member in value.items())
            pairs = (key + _field(b"\x12", member) for key, member in members)
            return _field(b"\x32", b"".join([_field(b"\x0a", pair) for pair in pairs]))
        case Sequence():
            return _field(b"\x2a", b"".join([_field(b"\x0a", _any_value(each)) for each in value]))
    return _field(b"\x0a", _text(str(value)))


def _text(value: str) -> bytes:
    return value.encode(errors="replace")


def _field(tag: bytes, content: bytes) -> bytes:
    return tag + _varint(len(content)) + content


def _varint(number: int) -> bytes:
    if number < _SMALL_MAX:
        return _SMALL[number]
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)
    return bytes(out)
