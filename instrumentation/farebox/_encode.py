"""Encode spans as OTLP protobuf, each to bytes of its own, so that a queue of spans can be bounded in bytes.

Attributes repeat from span to span (models, routes, hosts); their encoded form is remembered. The result equals the
stock encoder's, which a test holds it to. Source: opentelemetry-proto 1.x, trace/v1/trace.proto.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from typing import Any

from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, InstrumentationScope, KeyValue
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import Status

__all__ = ["Envelope", "encode_span"]

REMEMBERED_MAX = 4096
# Numbers differ from span to span; remembering them would push out what repeats.
_WORTH_REMEMBERING = frozenset({str, bool})

_times = struct.Struct("<cQcQ").pack
_remembered: dict[tuple[str, Any], bytes] = {}

# SpanFlags: bit 8 says that bit 9 is meant, bit 9 that the parent is in another process.
_HAS_IS_REMOTE, _IS_REMOTE = 0x100, 0x200


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
    text = name.encode()
    parts = [b"\x0a\x10", trace_id.to_bytes(16, "big"), b"\x12\x08", span_id.to_bytes(8, "big")]
    if parent_id:
        parts += (b"\x22\x08", parent_id.to_bytes(8, "big"))
    parts += (b"\x2a", _varint(len(text)), text, b"\x30\x03", _times(b"\x39", times[0], b"\x41", times[1]))
    for key, value in attributes.items():
        parts.append(_attribute(key, value))
    if link is not None:
        target = b"\x0a\x10" + link[0].to_bytes(16, "big") + b"\x12\x08" + link[1].to_bytes(8, "big")
        parts.append(_field(b"\x6a", target + b"\x35" + _HAS_IS_REMOTE.to_bytes(4, "little")))
    status = b"" if error is None else Status(code=Status.STATUS_CODE_ERROR, message=error).SerializeToString()
    flags = _HAS_IS_REMOTE | (_IS_REMOTE if remote else 0)
    parts += (b"\x7a", _varint(len(status)), status, b"\x85\x01", flags.to_bytes(4, "little"))
    return b"".join(parts)


class Envelope:
    """What stands around spans in a request: the resource and the scope, the same for all of a process."""

    def __init__(self, resource: Mapping[str, Any], scope: str, version: str) -> None:
        attributes = [KeyValue(key=key, value=_value(value)) for key, value in resource.items()]
        self._resource = _field(b"\x0a", Resource(attributes=attributes).SerializeToString())
        self._scope = _field(b"\x0a", InstrumentationScope(name=scope, version=version).SerializeToString())

    def around(self, spans: Sequence[bytes]) -> bytes:
        """Return the ExportTraceServiceRequest that holds these encoded spans."""
        scope_spans = self._scope + b"".join(_field(b"\x12", span) for span in spans)
        return _field(b"\x0a", self._resource + _field(b"\x12", scope_spans))


def _attribute(key: str, value: Any) -> bytes:
    if type(value) not in _WORTH_REMEMBERING:
        return _field(b"\x4a", KeyValue(key=key, value=_value(value)).SerializeToString())
    known = _remembered.get((key, value))
    if known is None:
        if len(_remembered) >= REMEMBERED_MAX:
            _remembered.clear()
        known = _remembered[key, value] = _field(b"\x4a", KeyValue(key=key, value=_value(value)).SerializeToString())
    return known


def _value(value: Any) -> AnyValue:
    match value:
        case str():
            return AnyValue(string_value=value.encode(errors="replace").decode())
        case bool():
            return AnyValue(bool_value=value)
        case int():
            # What no 64-bit integer can hold is kept as text, for the ledger to say that it is absurd.
            return AnyValue(int_value=value) if -(2**63) <= value < 2**63 else AnyValue(string_value=str(value))
        case float():
            return AnyValue(double_value=value)
        case Sequence():
            return AnyValue(array_value=ArrayValue(values=map(_value, value)))
    return AnyValue(string_value=str(value))


def _field(tag: bytes, content: bytes) -> bytes:
    return tag + _varint(len(content)) + content


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)
    return bytes(out)
