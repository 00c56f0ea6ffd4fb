"""OTLP messages are read and written in both encodings, and what is none is refused with a reason."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from google.protobuf.json_format import MessageToDict
from hypothesis import given
from hypothesis import strategies as st
from otlp_messages import attempt, span, traces

from farebox_collector._otlp import Encoding, encode, error_body, read_traces, traces_response
from farebox_collector.errors import MalformedError, UnsupportedError

SPAN: dict[str, Any] = {
    "traceId": "5B8EFFF798038103D269B633813FC60C",
    "spanId": "eee19b7ec3c1b174",
    "parentSpanId": "eee19b7ec3c1b173",
    "name": "chat",
    "kind": 3,
    "startTimeUnixNano": "1544712660000000000",
    "endTimeUnixNano": 1544712661000000000,
    "attributes": [
        {"key": "text", "value": {"stringValue": "a"}},
        {"key": "int as text", "value": {"intValue": "7"}},
        {"key": "int", "value": {"intValue": 8}},
        {"key": "double", "value": {"doubleValue": 0.5}},
        {"key": "bytes", "value": {"bytesValue": "AQI="}},
        {"key": "flags", "value": {"arrayValue": {"values": [{"stringValue": "x"}]}}},
    ],
    "links": [{"traceId": "5b8efff798038103d269b633813fc60c", "spanId": "eee19b7ec3c1b172"}],
    "fieldOfTomorrow": {"a": [1]},
}


def document(**changes: Any) -> bytes:
    scope = {"scope": {"name": "farebox"}, "spans": [{**SPAN, **changes}]}
    return json.dumps({"resourceSpans": [{"scopeSpans": [scope]}], "alsoUnknown": 1}).encode()


@pytest.mark.parametrize("header", ["application/json", "Application/JSON; charset=utf-8"])
def test_content_type(header: str) -> None:
    """Case and parameters of a content type do not matter."""
    assert Encoding.of(header) is Encoding.JSON


@pytest.mark.parametrize("header", ["", "text/plain", "application/xml", "application/grpc"])
def test_other_content_types(header: str) -> None:
    """A content type that is not OTLP's is named in the refusal, with those that are."""
    with pytest.raises(UnsupportedError, match=r"application/x-protobuf or application/json"):
        Encoding.of(header)


def test_json() -> None:
    """JSON as the specification writes it: hexadecimal ids, camelCase, numbers as text or number, enums as numbers."""
    found = read_traces(document(), Encoding.JSON).resource_spans[0].scope_spans[0].spans[0]

    assert found.trace_id.hex() == "5b8efff798038103d269b633813fc60c"
    assert found.span_id.hex() == "eee19b7ec3c1b174"
    assert found.parent_span_id.hex() == "eee19b7ec3c1b173"
    assert found.links[0].span_id.hex() == "eee19b7ec3c1b172"
    assert (found.kind, found.start_time_unix_nano) == (3, 1544712660000000000)
    assert found.end_time_unix_nano == 1544712661000000000
    assert {pair.key: MessageToDict(pair.value) for pair in found.attributes} == {
        "text": {"stringValue": "a"},
        "int as text": {"intValue": "7"},
        "int": {"intValue": "8"},
        "double": {"doubleValue": 0.5},
        "bytes": {"bytesValue": "AQI="},
        "flags": {"arrayValue": {"values": [{"stringValue": "x"}]}},
    }


@pytest.mark.parametrize("identifier", ["xyz", "5b8e", "", "é" * 32])
def test_json_with_a_bad_id(identifier: str) -> None:
    """An id that is no hexadecimal text spoils its span, which is refused later, not the whole body."""
    found = read_traces(document(traceId=identifier), Encoding.JSON).resource_spans[0].scope_spans[0].spans[0]

    assert len(found.trace_id) != 16


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"text"',
        b"\xff\xfe",
        b'{"resourceSpans": 5}',
        b'{"resourceSpans": [5]}',
        b'{"resourceSpans": [{"scopeSpans": {"spans": 1}}]}',
        document(startTimeUnixNano=-1),
        document(startTimeUnixNano="soon"),
        document(name=5),
        document(traceId=5),
        document(name="\ud800"),
        document(attributes=[{"key": "k", "value": {"intValue": 2**63}}]),
        b'{"resourceSpans": ' + b"[" * 100_000,
        b'{"x": ' + b"9" * 10_000 + b"}",
    ],
)
def test_malformed_json(body: bytes) -> None:
    """What is no such message is refused, never half read."""
    with pytest.raises(MalformedError, match="the body is"):
        read_traces(body, Encoding.JSON)


@pytest.mark.parametrize("body", [b"\xff", b"garbage", traces(span(1)).SerializeToString()[:-3], b"\x0a" * 50, b"{}"])
def test_malformed_protobuf(body: bytes) -> None:
    """Garbage and truncated protobuf are refused."""
    with pytest.raises(MalformedError, match="no ExportTraceServiceRequest"):
        read_traces(body, Encoding.PROTOBUF)


def test_nested_beyond_measure() -> None:
    """An attribute nested deeper than protobuf's own limit is refused, not fatal."""
    request = traces(span(1))
    value = request.resource_spans[0].scope_spans[0].spans[0].attributes.add(key="deep").value
    for _ in range(200):
        value = value.array_value.values.add()

    with pytest.raises(MalformedError):
        read_traces(request.SerializeToString(), Encoding.PROTOBUF)


@given(st.binary(max_size=200))
def test_random_bytes(body: bytes) -> None:
    """Random bytes are read or refused; nothing else happens."""
    for encoding in Encoding:
        with suppress(MalformedError):
            read_traces(body, encoding)


def test_both_encodings_say_the_same() -> None:
    """A request read from JSON equals the one read from protobuf."""
    request = traces(attempt(1), attempt(2))
    document = MessageToDict(request)
    for each in document["resourceSpans"][0]["scopeSpans"][0]["spans"]:
        number = 1 if each == document["resourceSpans"][0]["scopeSpans"][0]["spans"][0] else 2
        each |= {"traceId": f"{number:032x}", "spanId": f"{number:016x}"}

    assert read_traces(json.dumps(document).encode(), Encoding.JSON) == read_traces(
        request.SerializeToString(), Encoding.PROTOBUF
    )


def test_responses() -> None:
    """Full success is an empty message; refused spans are a partial success in the request's encoding."""
    assert encode(traces_response(0, ""), Encoding.PROTOBUF) == b""
    assert encode(traces_response(0, ""), Encoding.JSON) == b"{}"
    assert json.loads(encode(traces_response(2, "why"), Encoding.JSON)) == {
        "partialSuccess": {"rejectedSpans": "2", "errorMessage": "why"}
    }


def test_error_body() -> None:
    """An error's body is a google.rpc.Status in the request's encoding."""
    assert json.loads(error_body(3, "why", Encoding.JSON)) == {"code": 3, "message": "why"}
    assert error_body(3, "why", Encoding.PROTOBUF) == b"\x08\x03\x12\x03why"
