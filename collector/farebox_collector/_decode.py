"""Understands a request's body: what was sent, whole and compressed as it was, becomes rows of a table.

The receiver does it before it answers, and a start does it again with bodies that it finds in the journal.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
from google.protobuf.message import Message

from farebox_collector._attributes import service_of
from farebox_collector._bodies import decompress
from farebox_collector._logs import log_rows_of
from farebox_collector._otlp import Encoding, encode, read_logs, read_metrics, read_traces
from farebox_collector._spans import rows_of
from farebox_collector.errors import TooLargeError

__all__ = ["LOGS", "ROWS", "TRACES", "Body", "Decoded", "count_metrics", "decode"]

TRACES, LOGS = "otel_traces", "otel_logs"
# What a table's rows are called in counts and messages.
ROWS = {TRACES: "spans", LOGS: "log_records"}
SPANS_MAX = 100_000
REPEATED_BYTES_MAX = 128 * 1024 * 1024


@dataclass(frozen=True)
class Body:
    """A body as it was sent, and what is needed to understand it; `table` is where its rows belong."""

    table: str
    encoding: Encoding
    compression: str
    content: bytes


@dataclass(frozen=True)
class Decoded:
    """A body's rows, how many of its spans or records were rejected by reason, and what is to be counted of it.

    `body` is what became these rows: the one that was sent, without what its sender may not say.
    """

    body: Body
    rows: pa.Table
    rejected: Counter[str]
    counts: dict[str, int]


def decode(body: Body, bytes_max: int, services: frozenset[str] = frozenset()) -> Decoded:
    """Turn a body into rows; a span or record that cannot be kept is left out and counted under its reason.

    So is what is not of the services named, if any are.

    Raises:
        RequestError: the body as a whole cannot be understood, or is larger than a named maximum.
    """
    content = decompress(body.content, body.compression, bytes_max)
    return _spans_in(body, content, services) if body.table == TRACES else _logs_in(body, content, services)


def count_metrics(content: bytes, encoding: Encoding) -> int:
    """Count the metrics of a request: they are acknowledged and not stored."""
    request = read_metrics(content, encoding)
    return sum(len(scope.metrics) for resource in request.resource_metrics for scope in resource.scope_metrics)


def _spans_in(body: Body, content: bytes, services: frozenset[str]) -> Decoded:
    request = read_traces(content, body.encoding)
    spans = sum(len(scope.spans) for resource in request.resource_spans for scope in resource.scope_spans)
    if spans > SPANS_MAX:
        raise TooLargeError(f"the request has {spans} spans; the most is {SPANS_MAX}")
    _check_repeated(
        (each.resource, ((s.scope, len(s.spans)) for s in each.scope_spans)) for each in request.resource_spans
    )
    foreign = _take_out(request.resource_spans, services, lambda each: sum(len(s.spans) for s in each.scope_spans))
    rows = rows_of(request)
    rejected = rows.rejected + foreign
    counts = {
        "spans_received": rows.table.num_rows + rejected.total(),
        "spans_rejected": rejected.total(),
        "clocks_out_of_range": rows.clocks_out_of_range,
    }
    return Decoded(_what_is_left(body, request, foreign), rows.table, rejected, counts)


def _logs_in(body: Body, content: bytes, services: frozenset[str]) -> Decoded:
    request = read_logs(content, body.encoding)
    records = sum(len(scope.log_records) for resource in request.resource_logs for scope in resource.scope_logs)
    if records > SPANS_MAX:
        raise TooLargeError(f"the request has {records} log records; the most is {SPANS_MAX}")
    _check_repeated(
        (each.resource, ((s.scope, len(s.log_records)) for s in each.scope_logs)) for each in request.resource_logs
    )
    foreign = _take_out(request.resource_logs, services, lambda each: sum(len(s.log_records) for s in each.scope_logs))
    rows = log_rows_of(request)
    rejected = rows.rejected + foreign
    counts = {
        "log_records_received": records,
        "log_records_rejected": rejected.total(),
        "log_records_acknowledged": rows.others,
    }
    return Decoded(_what_is_left(body, request, foreign), rows.table, rejected, counts)


def _check_repeated(resources: Iterable[tuple[Message, Iterable[tuple[Message, int]]]]) -> None:
    """Refuse a request whose resources and scopes would become too much, repeated at each of their spans as they are.

    Raises:
        TooLargeError: a large resource with many spans, above all.
    """
    repeated = 0
    for resource, scopes in resources:
        size = resource.ByteSize()
        repeated += sum((size + scope.ByteSize()) * members for scope, members in scopes)
    if repeated > REPEATED_BYTES_MAX:
        raise TooLargeError(
            f"resources and scopes make {repeated} bytes with their spans; the most is {REPEATED_BYTES_MAX}"
        )


def _take_out(resources: Any, services: frozenset[str], size: Callable[[Any], int]) -> Counter[str]:
    """Remove the resources whose service is not among those named, if any are; count what was in them by reason."""
    taken: Counter[str] = Counter()
    for place in reversed(range(len(resources) if services else 0)):
        service = service_of(resources[place].resource.attributes)
        if service not in services:
            taken[f"service {service[:100]!r} is not one that the token speaks for"] += size(resources[place])
            del resources[place]
    return +taken


def _what_is_left(body: Body, request: Message, foreign: Counter[str]) -> Body:
    """Return the body as it was sent, or written anew where something was taken out: the journal must not have that."""
    if not foreign:
        return body
    return Body(body.table, Encoding.PROTOBUF, "", encode(request, Encoding.PROTOBUF))
