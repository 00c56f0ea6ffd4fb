"""An OTLP trace request becomes rows of otel_traces, all of its valid spans and only those."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pyarrow as pa
import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from otlp_messages import any_value, span, traces

from farebox_collector._spans import PORTION_SPANS, SCHEMA, TIMESTAMP_MAX, rows_of

MIDNIGHT = 1_700_000_000_000_000_000


NANOSECONDS = SCHEMA.set(0, pa.field("Timestamp", pa.int64())).set(
    15, pa.field("Events.Timestamp", pa.list_(pa.int64()))
)


def rows(*spans: Span) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = rows_of(traces(*spans)).table.cast(NANOSECONDS).to_pylist()
    return found


def test_whole_span() -> None:
    """Every field of a span has its column."""
    made = span(
        7,
        {"farebox.route": "hard", "tokens": 12},
        parent_span_id=b"\x01" * 8,
        trace_state="a=b",
        name="chat gpt-5.4-mini",
        start_time_unix_nano=MIDNIGHT,
        end_time_unix_nano=MIDNIGHT + 5,
    )
    made.status.code = 2
    made.status.message = "overloaded"
    event = made.events.add(time_unix_nano=MIDNIGHT + 1, name="retry")
    event.attributes.add(key="n", value=any_value(1))
    link = made.links.add(trace_id=b"\x02" * 16, span_id=b"\x03" * 8, trace_state="c=d")
    link.attributes.add(key="why", value=any_value("batch"))

    assert rows(made) == [
        {
            "Timestamp": MIDNIGHT,
            "TraceId": "00000000000000000000000000000007",
            "SpanId": "0000000000000007",
            "ParentSpanId": "0101010101010101",
            "TraceState": "a=b",
            "SpanName": "chat gpt-5.4-mini",
            "SpanKind": "Client",
            "ServiceName": "shop",
            "ResourceAttributes": [("service.name", "shop")],
            "ScopeName": "farebox",
            "ScopeVersion": "0.1.0",
            "SpanAttributes": [("farebox.route", "hard"), ("tokens", "12")],
            "Duration": 5,
            "StatusCode": "Error",
            "StatusMessage": "overloaded",
            "Events.Timestamp": [MIDNIGHT + 1],
            "Events.Name": ["retry"],
            "Events.Attributes": [[("n", "1")]],
            "Links.TraceId": ["02" * 16],
            "Links.SpanId": ["03" * 8],
            "Links.TraceState": ["c=d"],
            "Links.Attributes": [[("why", "batch")]],
        }
    ]


def test_several_resources_and_scopes() -> None:
    """Resource and scope stand beside the spans they belong to, and no others."""
    request = traces(span(1), span(2), service="shop", scope="farebox")
    request.MergeFrom(traces(span(3), service="depot", scope="other"))
    request.resource_spans[1].scope_spans.add().spans.append(span(4))

    table = rows_of(request).table

    assert table.select(["SpanId", "ServiceName", "ScopeName"]).to_pylist() == [
        {"SpanId": "0000000000000001", "ServiceName": "shop", "ScopeName": "farebox"},
        {"SpanId": "0000000000000002", "ServiceName": "shop", "ScopeName": "farebox"},
        {"SpanId": "0000000000000003", "ServiceName": "depot", "ScopeName": "other"},
        {"SpanId": "0000000000000004", "ServiceName": "depot", "ScopeName": ""},
    ]


def test_more_spans_than_a_portion() -> None:
    """A large request is converted portion by portion: every span stands once, beside its own resource, in order."""
    request = traces(*(span(number) for number in range(1, PORTION_SPANS)), Span(), service="shop")
    request.MergeFrom(traces(*(span(number) for number in range(PORTION_SPANS, 3 * PORTION_SPANS)), service="depot"))

    made = rows_of(request)

    assert made.table["SpanId"].to_pylist() == [f"{number:016x}" for number in range(1, 3 * PORTION_SPANS)]
    assert Counter(made.table["ServiceName"].to_pylist()) == {"shop": PORTION_SPANS - 1, "depot": 2 * PORTION_SPANS}
    assert made.rejected.total() == 1


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"trace_id": b""}, "trace_id has 0 bytes instead of 16"),
        ({"trace_id": b"\x01" * 15}, "trace_id has 15 bytes instead of 16"),
        ({"trace_id": bytes(16)}, "trace_id is all zeros"),
        ({"span_id": b"\x01" * 9}, "span_id has 9 bytes instead of 8"),
        ({"span_id": bytes(8)}, "span_id is all zeros"),
        ({"parent_span_id": b"\x01" * 3}, "parent_span_id has 3 bytes instead of 8"),
    ],
)
def test_invalid_ids_are_refused(fields: dict[str, bytes], reason: str) -> None:
    """A span without a usable key is left out and counted; its neighbours stay."""
    converted = rows_of(traces(span(1), span(2, **fields), span(3)))

    assert converted.rejected == Counter({reason: 1})
    assert converted.table["SpanId"].to_pylist() == ["0000000000000001", "0000000000000003"]


def test_parent_of_zeros_is_a_root() -> None:
    """A parent id of zeros means that there is none."""
    assert rows(span(1, parent_span_id=bytes(8)))[0]["ParentSpanId"] == ""


@pytest.mark.parametrize(
    ("start", "end", "timestamp", "duration"),
    [
        (0, 0, 0, 0),
        (0, 5, 0, 5),
        (5, 0, 5, 0),
        (TIMESTAMP_MAX, TIMESTAMP_MAX, TIMESTAMP_MAX, 0),
        (0, 2**64 - 1, 0, 2**64 - 1),
        (2**64 - 1, 2**64 - 1, TIMESTAMP_MAX, 0),
    ],
)
def test_any_clock_is_storable(start: int, end: int, timestamp: int, duration: int) -> None:
    """No clock, however absurd, breaks a batch; a length below zero is zero."""
    row = rows(span(1, start_time_unix_nano=start, end_time_unix_nano=end))[0]

    assert (row["Timestamp"], row["Duration"]) == (timestamp, duration)


def test_clock_out_of_range_is_counted() -> None:
    """A time beyond the column's range is not clamped silently."""
    assert rows_of(traces(span(1, start_time_unix_nano=2**63), span(2))).clocks_out_of_range == 1


def test_unknown_numbers_have_no_name() -> None:
    """A kind or status of a later protocol is stored without a name rather than as another one."""
    made = span(1, kind=17)
    made.status.code = 9

    assert (rows(made)[0]["SpanKind"], rows(made)[0]["StatusCode"]) == ("", "")


def test_empty_request() -> None:
    """A request without spans is a table without rows."""
    assert rows_of(traces()).table.num_rows == 0
