"""Farebox's own encoding of spans and log records equals the stock encoder's."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from opentelemetry._logs import LogRecord
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.common._log_encoder import encode_logs
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk._logs import ReadableLogRecord
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    set_span_in_context,
)

from farebox._encode import Envelope, encode_log, encode_span

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=300)
VALUES = st.one_of(
    TEXT,
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False),
    st.lists(TEXT, max_size=4),
    st.lists(st.integers(0, 2**40), max_size=4),
)
SPAN_IDS = st.integers(1, 2**64 - 1)


@given(
    st.integers(1, 2**128 - 1),
    SPAN_IDS,
    st.none() | st.tuples(SPAN_IDS, st.booleans()),
    TEXT,
    st.integers(0, 2**63),
    st.dictionaries(st.text(min_size=1, max_size=40), VALUES, max_size=12),
    st.none() | TEXT,
    st.none() | st.tuples(st.integers(1, 2**128 - 1), SPAN_IDS),
)
def test_the_bytes_mean_what_the_stock_encoders_mean(
    trace_id: int,
    span_id: int,
    parent: tuple[int, bool] | None,
    name: str,
    started_ns: int,
    attributes: dict[str, Any],
    error: str | None,
    link: tuple[int, int] | None,
) -> None:
    """Whatever the ids, times, attributes, link and status, the request is the one the official exporter would send."""
    resource = {"service.name": "s", "process.pid": 7}
    context = SpanContext(trace_id, span_id, is_remote=False)
    parent_context = None if parent is None else SpanContext(trace_id, parent[0], is_remote=parent[1])
    stock = encode_spans(
        [
            ReadableSpan(
                name=name,
                context=context,
                parent=parent_context,
                resource=Resource(resource),
                attributes=attributes,
                links=() if link is None else (Link(SpanContext(*link, is_remote=False)),),
                kind=SpanKind.CLIENT,
                status=Status(StatusCode.UNSET) if error is None else Status(StatusCode.ERROR, error),
                start_time=started_ns,
                end_time=started_ns + 5,
                instrumentation_scope=InstrumentationScope("farebox", "1"),
            )
        ]
    )
    span = encode_span(
        (trace_id, span_id, parent[0] if parent else 0),
        name,
        (started_ns, started_ns + 5),
        attributes,
        remote=bool(parent and parent[1]),
        error=error,
        link=link,
    )

    request = ExportTraceServiceRequest.FromString(Envelope(resource, "farebox", "1").around([span, span]))

    first, second = request.resource_spans[0].scope_spans[0].spans
    assert first == second
    del request.resource_spans[0].scope_spans[0].spans[1]
    assert request == stock


def test_what_protobuf_cannot_hold_is_kept_as_text() -> None:
    """A count beyond 64 bits and text with half a character do not break a span."""
    span = encode_span((1, 1, 0), "x", (0, 0), {"big": 2**70, "half": "a\ud800"})

    request = ExportTraceServiceRequest.FromString(Envelope({}, "s", "1").around([span]))

    values = {
        each.key: each.value.string_value for each in request.resource_spans[0].scope_spans[0].spans[0].attributes
    }
    assert values == {"big": str(2**70), "half": "a?"}


NESTED = st.recursive(
    st.none() | VALUES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=9,
)


@given(
    st.integers(1, 2**128 - 1),
    SPAN_IDS,
    st.integers(0, 2**63),
    st.dictionaries(st.text(min_size=1, max_size=40), NESTED.filter(lambda value: value is not None), max_size=6),
)
def test_log_records_mean_what_the_stock_encoders_mean(
    trace_id: int, span_id: int, ended_ns: int, attributes: dict[str, Any]
) -> None:
    """Whatever the structure of its attributes, a record is the one the official exporter would send."""
    context = set_span_in_context(NonRecordingSpan(SpanContext(trace_id, span_id, False, TraceFlags(1))), Context())
    record = LogRecord(
        timestamp=ended_ns, observed_timestamp=ended_ns + 5, context=context, event_name="e", attributes=attributes
    )
    scope = InstrumentationScope("farebox", "1")
    stock = encode_logs([ReadableLogRecord(record, Resource({"service.name": "s"}), scope)])
    stock.resource_logs[0].scope_logs[0].log_records[0].ClearField("body")  # an empty value, where ours has none
    ours = encode_log((trace_id, span_id), "e", (ended_ns, ended_ns + 5), attributes)

    request = ExportLogsServiceRequest.FromString(Envelope({"service.name": "s"}, "farebox", "1").around([ours]))

    assert request == stock
