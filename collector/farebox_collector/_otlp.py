"""Reads and writes OTLP messages in the two encodings of OTLP/HTTP: binary protobuf and JSON.

OTLP's JSON is protobuf's JSON but for the ids, which are hexadecimal instead of base64.
Source: opentelemetry.io/docs/specs/otlp, "JSON Protobuf Encoding", read 2026-11-22.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator
from enum import Enum
from typing import Any

from google.protobuf.json_format import MessageToJson, ParseDict, ParseError
from google.protobuf.message import DecodeError, Message
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest, ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from farebox_collector.errors import MalformedError, UnsupportedError

__all__ = [
    "Encoding",
    "encode",
    "error_body",
    "logs_response",
    "read_logs",
    "read_metrics",
    "read_traces",
    "traces_response",
]

SPAN_IDS = ("traceId", "spanId", "parentSpanId")
LINK_IDS = RECORD_IDS = ("traceId", "spanId")
MESSAGE_CHARACTERS_MAX = 1000


class Encoding(Enum):
    """One encoding of OTLP/HTTP, by its content type."""

    PROTOBUF = "application/x-protobuf"
    JSON = "application/json"

    @classmethod
    def of(cls, content_type: str) -> Encoding:
        """Read a Content-Type header; its parameters do not matter.

        Raises:
            UnsupportedError: it names another type, or none.
        """
        name = content_type.partition(";")[0].strip().lower()
        for encoding in cls:
            if encoding.value == name:
                return encoding
        given = repr(name[:100]) if name else "missing"
        raise UnsupportedError(f"Content-Type is {given}; send {cls.PROTOBUF.value} or {cls.JSON.value}")


def read_traces(body: bytes, encoding: Encoding) -> ExportTraceServiceRequest:
    """Parse the body of `POST /v1/traces`; unknown fields are ignored.

    Raises:
        MalformedError: the body is no such message.
    """
    request = ExportTraceServiceRequest()
    _parse(body, encoding, request)
    return request


def read_logs(body: bytes, encoding: Encoding) -> ExportLogsServiceRequest:
    """Parse the body of `POST /v1/logs`, as `read_traces` does."""
    request = ExportLogsServiceRequest()
    _parse(body, encoding, request)
    return request


def read_metrics(body: bytes, encoding: Encoding) -> ExportMetricsServiceRequest:
    """Parse the body of `POST /v1/metrics`, as `read_traces` does; the ids of its exemplars are not made readable."""
    request = ExportMetricsServiceRequest()
    _parse(body, encoding, request)
    return request


def _parse(body: bytes, encoding: Encoding, request: Message) -> None:
    try:
        if encoding is Encoding.PROTOBUF:
            request.ParseFromString(body)
            return
        document = json.loads(body)
        if not isinstance(document, dict):
            raise MalformedError(f"the body is a JSON {type(document).__name__} instead of an object")
        _hex_to_base64(document)
        ParseDict(document, request, ignore_unknown_fields=True)
    except (DecodeError, ParseError, ValueError, TypeError, RecursionError) as error:
        words = " ".join(str(error).split())[:MESSAGE_CHARACTERS_MAX]
        raise MalformedError(f"the body is no {request.DESCRIPTOR.name}: {words}") from None


def traces_response(rejected: int, reason: str) -> ExportTraceServiceResponse:
    """Make the response of a stored request; with refused spans it is a partial success."""
    response = ExportTraceServiceResponse()
    if rejected:
        response.partial_success.rejected_spans = rejected
        response.partial_success.error_message = reason[:MESSAGE_CHARACTERS_MAX]
    return response


def logs_response(rejected: int, reason: str) -> ExportLogsServiceResponse:
    """Make the response of a stored request of logs, as `traces_response` does."""
    response = ExportLogsServiceResponse()
    if rejected:
        response.partial_success.rejected_log_records = rejected
        response.partial_success.error_message = reason[:MESSAGE_CHARACTERS_MAX]
    return response


def error_body(grpc_code: int, message: str, encoding: Encoding) -> bytes:
    """Write the google.rpc.Status that OTLP/HTTP wants in the body of every error."""
    return encode(Status(code=grpc_code, message=message[:MESSAGE_CHARACTERS_MAX]), encoding)


def encode(message: Message, encoding: Encoding) -> bytes:
    """Write a message in the encoding of the request that it answers."""
    if encoding is Encoding.JSON:
        text: str = MessageToJson(message, indent=None)
        return text.encode()
    wire: bytes = message.SerializeToString()
    return wire


def _hex_to_base64(document: dict[str, Any]) -> None:
    """Rewrite the ids of spans, links and log records, in place, as protobuf's own JSON has them."""
    for resource_logs in _members(document, "resourceLogs"):
        for scope_logs in _members(resource_logs, "scopeLogs"):
            for record in _members(scope_logs, "logRecords"):
                _rewrite(record, RECORD_IDS)
    for resource_spans in _members(document, "resourceSpans"):
        for scope_spans in _members(resource_spans, "scopeSpans"):
            for span in _members(scope_spans, "spans"):
                _rewrite(span, SPAN_IDS)
                for link in _members(span, "links"):
                    _rewrite(link, LINK_IDS)


def _members(parent: dict[str, Any], name: str) -> Iterator[dict[str, Any]]:
    """List the objects of a repeated field; what is no object is left for the parser to refuse."""
    members = parent.get(name)
    if isinstance(members, list):
        yield from (member for member in members if isinstance(member, dict))


def _rewrite(fields: dict[str, Any], names: tuple[str, ...]) -> None:
    for name in names:
        text = fields.get(name)
        if isinstance(text, str):
            try:
                identifier = bytes.fromhex(text)
            except ValueError:
                identifier = text.encode()[:1]  # no id has one byte: this one is refused, not its neighbours
            fields[name] = b64encode(identifier).decode("ascii")
