"""OTLP/HTTP over a real socket: what is valid is stored, what is not gets its status and stores nothing."""

from __future__ import annotations

import gzip
import json
import socket
import threading
import zlib
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import requests
from backports.zstd import compress
from farebox_up import Up
from google.protobuf.json_format import MessageToDict
from google.rpc.status_pb2 import Status
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExportResult
from otlp_messages import span, traces

_numbers = count(1_000_000)

JSON = {"Content-Type": "application/json"}
BODY_BYTES_MAX = 16 * 1024 * 1024


@pytest.fixture
def number() -> int:
    """Start of ten thousand span numbers that no other test uses."""
    return next(_numbers) * 10_000


@pytest.fixture
def _stores_nothing(up: Up) -> Iterator[None]:
    """The test sends what must not be stored; afterwards the server still stores."""
    before = up.rows("SELECT count() FROM otel_traces")
    yield
    assert up.rows("SELECT count() FROM otel_traces") == before
    assert up.post(traces().SerializeToString()).status_code == 200


def stored(up: Up, *numbers: int) -> list[int]:
    """Those of the spans that are in the table, in order, as often as they are there."""
    names = ", ".join(f"'{number:016x}'" for number in numbers)
    found = up.rows(f"SELECT SpanId FROM otel_traces WHERE SpanId IN ({names}) ORDER BY SpanId")
    return [int(row[0], 16) for row in found]


def status(response: requests.Response) -> Status:
    return Status.FromString(response.content)


@pytest.mark.parametrize("compression", [Compression.NoCompression, Compression.Gzip, Compression.Deflate])
def test_official_exporter(up: Up, compression: Compression) -> None:
    """What the official exporter sends can be read back, value for value."""
    exporter = OTLPSpanExporter(up.otlp + "/v1/traces", compression=compression)
    provider = TracerProvider(resource=Resource({"service.name": "shop", "service.version": "1"}))
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracer = provider.get_tracer("farebox", "0.1.0")
    attributes: dict[str, Any] = {"text": "日本", "int": 7, "double": 0.25, "flag": True, "flags": ["a", "b"]}
    with tracer.start_as_current_span("chat", kind=trace.SpanKind.CLIENT, attributes=attributes) as sent:
        sent.add_event("retry", {"n": 1})
    provider.shutdown()

    with up.client() as client:
        row = client.query(
            "SELECT TraceId, SpanKind, ServiceName, ScopeName, ScopeVersion, SpanAttributes, Events.Name, "
            "toUnixTimestamp64Nano(Timestamp) AS started, Duration FROM otel_traces WHERE SpanId = {id:String}",
            {"id": f"{sent.get_span_context().span_id:016x}"},
        ).first_item
    assert row == {
        "TraceId": f"{sent.get_span_context().trace_id:032x}",
        "SpanKind": "Client",
        "ServiceName": "shop",
        "ScopeName": "farebox",
        "ScopeVersion": "0.1.0",
        "SpanAttributes": {"text": "日本", "int": "7", "double": "0.25", "flag": "true", "flags": '["a","b"]'},
        "Events.Name": ["retry"],
        "started": sent.start_time,  # type: ignore[attr-defined]
        "Duration": sent.end_time - sent.start_time,  # type: ignore[attr-defined]
    }


def test_stored_before_the_answer(up: Up, number: int) -> None:
    """After 200 the spans can be read, and the answer is an empty message in the request's encoding."""
    answer = up.post(traces(span(number), span(number + 1)).SerializeToString())

    assert (answer.status_code, answer.headers["content-type"], answer.content) == (200, "application/x-protobuf", b"")
    assert stored(up, number, number + 1) == [number, number + 1]


def test_json(up: Up, number: int) -> None:
    """JSON is taken and answered as JSON."""
    document = MessageToDict(traces(span(number)))
    made = document["resourceSpans"][0]["scopeSpans"][0]["spans"][0]
    made |= {"traceId": f"{number:032x}", "spanId": f"{number:016X}"}

    answer = up.post(json.dumps(document).encode(), JSON)

    assert (answer.status_code, answer.headers["content-type"], answer.json()) == (200, "application/json", {})
    assert stored(up, number) == [number]


def test_retried_request(up: Up, number: int) -> None:
    """A request that is sent again is answered again and stored once."""
    body = traces(span(number)).SerializeToString()

    assert [up.post(body).status_code for _ in range(3)] == [200, 200, 200]
    assert stored(up, number) == [number]


def test_partial_success(up: Up, number: int) -> None:
    """Invalid spans are counted in the answer with the reason; the valid ones are stored."""
    answer = up.post(
        traces(
            span(number), span(number + 1, span_id=bytes(8)), span(number + 2, trace_id=b"short")
        ).SerializeToString()
    )

    partial = ExportTraceServiceResponse.FromString(answer.content).partial_success
    assert (answer.status_code, partial.rejected_spans) == (200, 2)
    assert partial.error_message == "1 spans: span_id is all zeros; 1 spans: trace_id has 5 bytes instead of 16"
    assert stored(up, number) == [number]


def test_partial_success_in_json(up: Up) -> None:
    """In JSON the count of rejected spans is text, as protobuf's JSON has it."""
    spans = [{"traceId": "", "spanId": ""}]
    answer = up.post(json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]}).encode(), JSON)

    assert answer.json()["partialSuccess"]["rejectedSpans"] == "1"


@pytest.mark.usefixtures("_stores_nothing")
@pytest.mark.parametrize(
    ("body", "headers", "expected", "words"),
    [
        (b"garbage", {}, 400, "no ExportTraceServiceRequest"),
        (traces(span(1)).SerializeToString()[:-1], {}, 400, "no ExportTraceServiceRequest"),
        (b"{}", {}, 400, "no ExportTraceServiceRequest"),
        (b"not gzip", {"Content-Encoding": "gzip"}, 400, "the body is not gzip"),
        (gzip.compress(traces(span(1)).SerializeToString())[:-9], {"Content-Encoding": "gzip"}, 400, "cut short"),
        (b"", {"Content-Encoding": "gzip"}, 400, "not gzip"),
        (b"x", {"Content-Encoding": "br"}, 415, "Content-Encoding is 'br'"),
        (b"x", {"Content-Encoding": "gzip, gzip"}, 415, "Content-Encoding"),
        (b"x", {"Content-Type": "text/plain"}, 415, "Content-Type is 'text/plain'"),
        (b"x" * (BODY_BYTES_MAX + 1), {}, 413, "the most is 16777216"),
        (gzip.compress(bytes(BODY_BYTES_MAX + 1)), {"Content-Encoding": "gzip"}, 413, "when decompressed"),
        (zlib.compress(bytes(BODY_BYTES_MAX - 1)), {"Content-Encoding": "deflate"}, 413, "grows"),
        (traces(*[Span()] * 100_001).SerializeToString(), {}, 413, "100001 spans; the most is 100000"),
    ],
)
def test_refusals(up: Up, body: bytes, headers: dict[str, str], expected: int, words: str) -> None:
    """A body that cannot be taken gets its status and a google.rpc.Status that says why."""
    answer = up.post(body, headers)

    assert answer.status_code == expected
    assert words in status(answer).message
    assert status(answer).code in (3, 8)


@pytest.mark.usefixtures("_stores_nothing")
@pytest.mark.parametrize("body", [b"", b"{", b"[1]", b'{"resourceSpans": 1}', b"[" * 100_000])
def test_refusals_in_json(up: Up, body: bytes) -> None:
    """A JSON request is refused in JSON."""
    answer = up.post(body, JSON)

    assert answer.status_code == 400
    assert answer.json()["code"] == 3


def test_no_content_type(up: Up) -> None:
    """A request that does not say what it holds is not guessed at."""
    answer = requests.post(up.otlp + "/v1/traces", data=iter([b"x"]), timeout=10)

    assert answer.status_code == 415
    assert "missing" in status(answer).message


def test_zstd(up: Up, number: int) -> None:
    """zstd is taken, in several frames too; what is cut short or grows too large is refused with its reason."""
    zstd = {"Content-Encoding": "zstd"}
    body = traces(span(number)).SerializeToString()
    taken = up.post(compress(body[:20]) + compress(body[20:]), zstd)
    cut = up.post(compress(body)[:-3], zstd)
    garbage = up.post(b"not zstd", zstd)
    bomb = up.post(compress(bytes(BODY_BYTES_MAX + 1)), zstd)
    small_bomb = up.post(compress(bytes(BODY_BYTES_MAX)), zstd)

    assert [each.status_code for each in (taken, cut, garbage, bomb, small_bomb)] == [200, 400, 400, 413, 413]
    assert "cut short" in status(cut).message
    assert stored(up, number) == [number]


def test_gzip_members(up: Up, number: int) -> None:
    """Several gzip members in a row are one body."""
    body = traces(span(number)).SerializeToString()

    assert up.post(gzip.compress(body[:20]) + gzip.compress(body[20:]), {"Content-Encoding": "gzip"}).status_code == 200
    assert stored(up, number) == [number]


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_other_methods(up: Up, method: str) -> None:
    """Only POST exports."""
    answer = requests.request(method, up.otlp + "/v1/traces", timeout=10)

    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    assert status(answer).code == 12


def test_unknown_path(up: Up) -> None:
    """An unknown path is 404 in the request's encoding."""
    answer = up.post(b"{}", JSON, path="/v2/traces")

    assert (answer.status_code, answer.json()["code"]) == (404, 5)


def test_chunked_body_without_end(up: Up) -> None:
    """A body that announces no length is cut off at the maximum."""
    answer = requests.post(
        up.otlp + "/v1/traces",
        data=(bytes(1024 * 1024) for _ in range(40)),
        headers={"Content-Type": "application/x-protobuf"},
        timeout=30,
    )

    assert answer.status_code == 413


def test_another_host_name(up: Up) -> None:
    """A web page that lets its own name point at this machine gets nothing."""
    answer = up.post(traces(span(1)).SerializeToString(), {"Host": "attacker.example"})

    assert answer.status_code == 400


def test_health(up: Up) -> None:
    """Health and readiness are answered without touching the store."""
    assert requests.get(up.otlp + "/healthz", timeout=10).json()["status"] == "ok"
    assert requests.get(up.otlp + "/readyz", timeout=10).json() == {"status": "ready"}


def test_many_clients(up: Up, number: int) -> None:
    """Everything that many clients send at once is there, once."""
    statuses: list[int] = []

    def client(start: int) -> None:
        with requests.Session() as session:
            for batch in range(5):
                spans = [span(start + batch * 20 + each) for each in range(20)]
                body = traces(*spans).SerializeToString()
                answer = session.post(
                    up.otlp + "/v1/traces", data=body, headers={"Content-Type": "application/x-protobuf"}, timeout=30
                )
                statuses.append(answer.status_code)

    threads = [threading.Thread(target=client, args=(number + each * 100,)) for each in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert statuses == [200] * 60
    assert stored(up, *range(number, number + 1200)) == list(range(number, number + 1200))


def test_client_that_goes_away(up: Up, number: int) -> None:
    """A client that closes in the middle of a body disturbs nobody."""
    for _ in range(20):
        with socket.create_connection(("127.0.0.1", int(up.otlp.rpartition(":")[2]))) as connection:
            connection.sendall(
                b"POST /v1/traces HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-protobuf\r\n"
                b"Content-Length: 100\r\n\r\n" + b"x" * 50
            )

    assert up.post(traces(span(number)).SerializeToString()).status_code == 200
    assert "Traceback" not in "".join(up.errors)


def test_full_intake(start_up: Callable[..., Up], tmp_path: Path, number: int) -> None:
    """When requests in work hold all the bytes they may, others are asked to come back; later they are taken."""
    small = start_up(tmp_path / "ledger", intake_bytes_max="100000")
    big = traces(span(number, {"text": "x" * 60_000})).SerializeToString()
    answer = small.post(big)

    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert status(answer).code == 14
    assert small.post(traces(span(number)).SerializeToString()).status_code == 200
    assert small.counts()["responses_503"] == 1
    assert small.stop() == 0


def test_exporter_sees_failure_and_success(up: Up, number: int) -> None:
    """The official exporter calls a refused batch a failure and a stored one a success."""
    provider = TracerProvider()
    made = provider.get_tracer("farebox").start_span("chat")
    made.end()
    exporter = OTLPSpanExporter(up.otlp + "/v1/traces")
    wrong = OTLPSpanExporter(up.otlp + "/v1/nothing")

    assert exporter.export([made]) is SpanExportResult.SUCCESS  # type: ignore[list-item]
    assert wrong.export([made]) is SpanExportResult.FAILURE  # type: ignore[list-item]
    exporter.shutdown()
    wrong.shutdown()
