"""Turns an OTLP trace request into rows of `otel_traces`, and says which of its spans are no spans."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any

import pyarrow as pa
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span

from farebox_collector._attributes import ATTRIBUTES, TEXT, AttributeMaps, service_of

__all__ = ["SCHEMA", "Rows", "keeps_span", "rows_of"]

# Names as the exporter writes them; a number that has none is the empty string.
KINDS = ("Unspecified", "Internal", "Server", "Client", "Producer", "Consumer")
STATUSES = ("Unset", "Ok", "Error")

TRACE_ID_BYTES = 16
SPAN_ID_BYTES = 8
# Of attributes, events and links each; OpenTelemetry's SDKs stop at 128.
MEMBERS_MAX = 4096
PORTION_SPANS = 1000
NO_TRACE = bytes(TRACE_ID_BYTES)
NO_SPAN = bytes(SPAN_ID_BYTES)

# DateTime64(9) counts nanoseconds in a signed integer: the year 2262 is its last.
TIMESTAMP_MAX = 2**63 - 1

TIME = pa.timestamp("ns", "UTC")

SCHEMA = pa.schema(
    [
        ("Timestamp", TIME),
        ("TraceId", TEXT),
        ("SpanId", TEXT),
        ("ParentSpanId", TEXT),
        ("TraceState", TEXT),
        ("SpanName", TEXT),
        ("SpanKind", TEXT),
        ("ServiceName", TEXT),
        ("ResourceAttributes", ATTRIBUTES),
        ("ScopeName", TEXT),
        ("ScopeVersion", TEXT),
        ("SpanAttributes", ATTRIBUTES),
        ("Duration", pa.uint64()),
        ("StatusCode", TEXT),
        ("StatusMessage", TEXT),
        ("Events.Timestamp", pa.list_(TIME)),
        ("Events.Name", pa.list_(TEXT)),
        ("Events.Attributes", pa.list_(ATTRIBUTES)),
        ("Links.TraceId", pa.list_(TEXT)),
        ("Links.SpanId", pa.list_(TEXT)),
        ("Links.TraceState", pa.list_(TEXT)),
        ("Links.Attributes", pa.list_(ATTRIBUTES)),
    ]
)


@dataclass(frozen=True)
class Rows:
    """Rows of one request: the table, how many spans were refused by reason, how many clocks did not fit."""

    table: pa.Table
    rejected: Counter[str]
    clocks_out_of_range: int


def rows_of(request: ExportTraceServiceRequest) -> Rows:
    """Convert every valid span of a request; an invalid one is counted under its reason and left out."""
    tables = []
    rejected: Counter[str] = Counter()
    clocks = 0
    for portion in _portions(request):
        columns = _Columns()
        for resource_spans, scope_spans, spans in portion:
            columns.add(resource_spans, scope_spans, spans)
        tables.append(columns.table())
        rejected += columns.rejected
        clocks += columns.clocks_out_of_range
    return Rows(pa.concat_tables(tables) if tables else SCHEMA.empty_table(), rejected, clocks)


def _portions(request: ExportTraceServiceRequest) -> Iterator[list[tuple[ResourceSpans, ScopeSpans, list[Span]]]]:
    """Take a request apart into portions of so many spans: Python's objects take ten times the memory of Arrow's."""
    portion, room = [], PORTION_SPANS
    for resource_spans in request.resource_spans:
        for scope_spans in resource_spans.scope_spans:
            start, end = 0, len(scope_spans.spans)
            while start < end:
                stop = min(start + room, end)
                portion.append((resource_spans, scope_spans, scope_spans.spans[start:stop]))
                room -= stop - start
                start = stop
                if not room:
                    yield portion
                    portion, room = [], PORTION_SPANS
    if portion:
        yield portion


def keeps_span(span: Span) -> bool:
    """Say whether a span becomes a row."""
    return _fault(span) is None


def _fault(span: Span) -> str | None:
    """Say why a span cannot be kept; None when it can: its ids are the ledger's key."""
    if len(span.trace_id) != TRACE_ID_BYTES:
        return f"trace_id has {len(span.trace_id)} bytes instead of {TRACE_ID_BYTES}"
    if span.trace_id == NO_TRACE:
        return "trace_id is all zeros"
    if len(span.span_id) != SPAN_ID_BYTES:
        return f"span_id has {len(span.span_id)} bytes instead of {SPAN_ID_BYTES}"
    if span.span_id == NO_SPAN:
        return "span_id is all zeros"
    if len(span.parent_span_id) not in (0, SPAN_ID_BYTES):
        return f"parent_span_id has {len(span.parent_span_id)} bytes instead of {SPAN_ID_BYTES}"
    for name, members in (("attributes", span.attributes), ("events", span.events), ("links", span.links)):
        if len(members) > MEMBERS_MAX:
            return f"it has more than {MEMBERS_MAX} {name}"
    return None


@dataclass
class _Columns:
    """Columns of `otel_traces` as Python lists; the order of `table()` is that of SCHEMA."""

    start: list[int] = field(default_factory=list)
    trace_id: list[str] = field(default_factory=list)
    span_id: list[str] = field(default_factory=list)
    parent_span_id: list[str] = field(default_factory=list)
    trace_state: list[str] = field(default_factory=list)
    name: list[str] = field(default_factory=list)
    kind: list[str] = field(default_factory=list)
    attributes: AttributeMaps = field(default_factory=AttributeMaps)
    duration: list[int] = field(default_factory=list)
    status_code: list[str] = field(default_factory=list)
    status_message: list[str] = field(default_factory=list)
    resources: AttributeMaps = field(default_factory=AttributeMaps)
    services: list[str] = field(default_factory=list)
    resource_of: list[int] = field(default_factory=list)
    scope_names: list[str] = field(default_factory=list)
    scope_versions: list[str] = field(default_factory=list)
    event_counts: list[int] = field(default_factory=list)
    event_time: list[int] = field(default_factory=list)
    event_name: list[str] = field(default_factory=list)
    event_attributes: AttributeMaps = field(default_factory=AttributeMaps)
    link_counts: list[int] = field(default_factory=list)
    link_trace_id: list[str] = field(default_factory=list)
    link_span_id: list[str] = field(default_factory=list)
    link_trace_state: list[str] = field(default_factory=list)
    link_attributes: AttributeMaps = field(default_factory=AttributeMaps)
    rejected: Counter[str] = field(default_factory=Counter)
    clocks_out_of_range: int = 0
    latest: ResourceSpans | None = None

    def add(self, resource_spans: ResourceSpans, scope_spans: ScopeSpans, spans: list[Span]) -> None:
        """Add the valid ones of these spans, and repeat resource and scope for each of them."""
        before = len(self.start)
        for span in spans:
            reason = _fault(span)
            if reason is None:
                self._add_span(span)
            else:
                self.rejected[reason] += 1
        added = len(self.start) - before
        self.resource_of += [self._number_of(resource_spans)] * added
        self.scope_names += [scope_spans.scope.name] * added
        self.scope_versions += [scope_spans.scope.version] * added

    def _number_of(self, resource_spans: ResourceSpans) -> int:
        """Keep a resource once and return its number; its spans refer to it."""
        if resource_spans is not self.latest:
            self.latest = resource_spans
            attributes = resource_spans.resource.attributes
            self.resources.add(attributes)
            self.services.append(service_of(attributes))
        return len(self.services) - 1

    def _add_span(self, span: Span) -> None:
        start, end = span.start_time_unix_nano, span.end_time_unix_nano
        self.start.append(self._time(start))
        self.trace_id.append(span.trace_id.hex())
        self.span_id.append(span.span_id.hex())
        self.parent_span_id.append(_hex_or_empty(span.parent_span_id))
        self.trace_state.append(span.trace_state)
        self.name.append(span.name)
        self.kind.append(_named(KINDS, span.kind))
        self.attributes.add(span.attributes)
        self.duration.append(max(end - start, 0))  # unsigned; a span that ends before it starts has no length
        self.status_code.append(_named(STATUSES, span.status.code))
        self.status_message.append(span.status.message)
        self.event_counts.append(len(span.events))
        for event in span.events:
            self.event_time.append(self._time(event.time_unix_nano))
            self.event_name.append(event.name)
            self.event_attributes.add(event.attributes)
        self.link_counts.append(len(span.links))
        for link in span.links:
            self.link_trace_id.append(_hex_or_empty(link.trace_id))
            self.link_span_id.append(_hex_or_empty(link.span_id))
            self.link_trace_state.append(link.trace_state)
            self.link_attributes.add(link.attributes)

    def _time(self, nanoseconds: int) -> int:
        """Pass a time through; one beyond the column's range becomes its last instant and is counted.

        Whether a clock is possible is judged in the ledger; here a time need only be storable.
        """
        if nanoseconds <= TIMESTAMP_MAX:
            return nanoseconds
        self.clocks_out_of_range += 1
        return TIMESTAMP_MAX

    def table(self) -> pa.Table:
        resource = pa.array(self.resource_of, pa.int32())
        events = pa.array([0, *accumulate(self.event_counts)], pa.int32())
        links = pa.array([0, *accumulate(self.link_counts)], pa.int32())
        columns: list[Any] = [
            pa.array(self.start, TIME),
            pa.array(self.trace_id, TEXT),
            pa.array(self.span_id, TEXT),
            pa.array(self.parent_span_id, TEXT),
            pa.array(self.trace_state, TEXT),
            pa.array(self.name, TEXT),
            pa.array(self.kind, TEXT),
            pa.array(self.services, TEXT).take(resource),
            self.resources.array().take(resource),
            pa.array(self.scope_names, TEXT),
            pa.array(self.scope_versions, TEXT),
            self.attributes.array(),
            pa.array(self.duration, pa.uint64()),
            pa.array(self.status_code, TEXT),
            pa.array(self.status_message, TEXT),
            pa.ListArray.from_arrays(events, pa.array(self.event_time, TIME)),
            pa.ListArray.from_arrays(events, pa.array(self.event_name, TEXT)),
            pa.ListArray.from_arrays(events, self.event_attributes.array()),
            pa.ListArray.from_arrays(links, pa.array(self.link_trace_id, TEXT)),
            pa.ListArray.from_arrays(links, pa.array(self.link_span_id, TEXT)),
            pa.ListArray.from_arrays(links, pa.array(self.link_trace_state, TEXT)),
            pa.ListArray.from_arrays(links, self.link_attributes.array()),
        ]
        return pa.table(columns, schema=SCHEMA)


def _hex_or_empty(identifier: bytes) -> str:
    return identifier.hex() if any(identifier) else ""


def _named(names: tuple[str, ...], number: int) -> str:
    return names[number] if 0 <= number < len(names) else ""
