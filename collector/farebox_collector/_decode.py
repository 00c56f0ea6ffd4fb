"""Understands a request's body: what was sent, whole and compressed as it was, becomes rows of a table.

The receiver does it before it answers, and a start does it again with bodies that it finds in the journal.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import pyarrow as pa

from farebox_collector._bodies import decompress
from farebox_collector._logs import log_rows_of
from farebox_collector._otlp import Encoding, read_logs, read_metrics, read_traces
from farebox_collector._spans import rows_of
from farebox_collector.errors import TooLargeError

__all__ = ["LOGS", "ROWS", "TRACES", "Body", "Decoded", "count_metrics", "decode"]

TRACES, LOGS = "otel_traces", "otel_logs"
# What a table's rows are called in counts and messages.
ROWS = {TRACES: "spans", LOGS: "log_records"}
SPANS_MAX = 100_000


@dataclass(frozen=True)
class Body:
    """A body as it was sent, and what is needed to understand it; `table` is where its rows belong."""

    table: str
    encoding: Encoding
    compression: str
    content: bytes


@dataclass(frozen=True)
class Decoded:
    """A body's rows, how many of its spans or records were rejected by reason, and what is to be counted of it."""

    rows: pa.Table
    rejected: Counter[str]
    counts: dict[str, int]


def decode(body: Body, bytes_max: int) -> Decoded:
    """Turn a body into rows; a span or record that cannot be kept is left out and counted under its reason.

    Raises:
        RequestError: the body as a whole cannot be understood, or is larger than a named maximum.
    """
    content = decompress(body.content, body.compression, bytes_max)
    return _spans_in(content, body.encoding) if body.table == TRACES else _logs_in(content, body.encoding)


def count_metrics(content: bytes, encoding: Encoding) -> int:
    """Count the metrics of a request: they are acknowledged and not stored."""
    request = read_metrics(content, encoding)
    return sum(len(scope.metrics) for resource in request.resource_metrics for scope in resource.scope_metrics)


def _spans_in(content: bytes, encoding: Encoding) -> Decoded:
    request = read_traces(content, encoding)
    spans = sum(len(scope.spans) for resource in request.resource_spans for scope in resource.scope_spans)
    if spans > SPANS_MAX:
        raise TooLargeError(f"the request has {spans} spans; the most is {SPANS_MAX}")
    rows = rows_of(request)
    counts = {
        "spans_received": rows.table.num_rows + rows.rejected.total(),
        "spans_rejected": rows.rejected.total(),
        "clocks_out_of_range": rows.clocks_out_of_range,
    }
    return Decoded(rows.table, rows.rejected, counts)


def _logs_in(content: bytes, encoding: Encoding) -> Decoded:
    request = read_logs(content, encoding)
    records = sum(len(scope.log_records) for resource in request.resource_logs for scope in resource.scope_logs)
    if records > SPANS_MAX:
        raise TooLargeError(f"the request has {records} log records; the most is {SPANS_MAX}")
    rows = log_rows_of(request)
    counts = {
        "log_records_received": records,
        "log_records_rejected": rows.rejected.total(),
        "log_records_acknowledged": rows.others,
    }
    return Decoded(rows.table, rows.rejected, counts)
