"""Whatever is sent, the collector answers with the right status, grows no further and goes on."""

from __future__ import annotations

import gzip
import http.client
import socket
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack, suppress

import pytest
import requests
from farebox_up import Up
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from otlp_messages import any_value, span, traces

JSON = {"Content-Type": "application/json"}
GZIP = {"Content-Encoding": "gzip"}


@pytest.fixture(scope="module")
def up(start_up: Callable[..., Up], tmp_path_factory: pytest.TempPathFactory) -> Up:
    return start_up(tmp_path_factory.mktemp("hostile") / "ledger")


def memory(up: Up) -> float:
    """Bytes of the process that are in memory."""
    text = requests.get(up.otlp + "/metrics", timeout=10).text
    return float(text.partition("\nfarebox_collector_process_memory_bytes ")[2].split()[0])


def test_a_million_attributes(up: Up) -> None:
    """A span with more attributes than any has is rejected alone, whatever its neighbours."""
    pair = span(2, {"k": 1}).attributes[0].SerializeToString()
    request = traces(span(3), span(2))
    request.resource_spans[0].scope_spans[0].spans[1].MergeFromString((b"\x4a" + _length(len(pair)) + pair) * 1_000_000)
    answer = up.post(request.SerializeToString())

    partial = ExportTraceServiceResponse.FromString(answer.content).partial_success
    assert (answer.status_code, partial.rejected_spans) == (200, 1)
    assert partial.error_message == "1 spans: it has more than 4096 attributes"


def test_a_large_resource_with_many_spans(up: Up) -> None:
    """A resource that would be repeated into gigabytes is refused as a whole, before it is."""
    request = traces(*(span(number) for number in range(10, 2010)))
    request.resource_spans[0].resource.attributes.add(key="big", value=any_value("x" * 1_000_000))
    answer = up.post(request.SerializeToString())

    assert answer.status_code == 413
    assert "resources and scopes make" in Status.FromString(answer.content).message


@pytest.mark.parametrize("depth", [1_000, 1_000_000])
def test_deep_json(up: Up, depth: int) -> None:
    """JSON that is nested without end is refused as malformed."""
    value = '{"arrayValue":{"values":[' * depth + "]}}" * depth
    opened = '{"resourceSpans":[{"resource":{"attributes":[{"key":"k","value":'

    assert up.post((opened + value + "}]}}]}").encode()[:15_000_000], JSON).status_code == 400


def test_deep_protobuf(up: Up) -> None:
    """Protobuf nested deeper than its parser goes is refused as malformed; what it takes is written as text."""
    statuses = []
    for depth in (10, 300):
        value = b""
        for _ in range(depth):  # AnyValue.array_value (5), ArrayValue.values (1)
            values = b"\x0a" + _length(len(value)) + value
            value = b"\x2a" + _length(len(values)) + values
        pair = b"\x0a\x01k\x12" + _length(len(value)) + value
        sent = span(5).SerializeToString() + b"\x4a" + _length(len(pair)) + pair
        scope = b"\x12" + _length(len(sent)) + sent
        resource = b"\x12" + _length(len(scope)) + scope
        statuses.append(up.post(b"\x0a" + _length(len(resource)) + resource).status_code)

    assert statuses == [200, 400]


def _length(number: int) -> bytes:
    written = bytearray()
    while number > 0x7F:
        written.append(number & 0x7F | 0x80)
        number >>= 7
    written.append(number)
    return bytes(written)


def test_a_hundred_million_bytes(up: Up) -> None:
    """A body of 100 million bytes is refused by its length, and one that does not tell it once it is too long."""
    port = int(up.otlp.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), 10) as connection:
        connection.sendall(
            b"POST /v1/traces HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-protobuf\r\n"
            b"Content-Length: 100000000\r\n\r\n"
        )
        assert connection.recv(100).startswith(b"HTTP/1.1 413")
    assert up.post(gzip.compress(bytes(100_000_000), 9), GZIP).status_code == 413


def test_a_hundred_million_bytes_that_come(up: Up) -> None:
    """Whoever sends them all the same, told or in chunks, is refused, and they are in nobody's memory."""
    before, answers = memory(up), []
    port = int(up.otlp.rpartition(":")[2])
    head = b"POST /v1/traces HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-protobuf\r\n"
    million = bytes(1_000_000)
    chunk = b"%x\r\n%s\r\n" % (len(million), million)
    for more, piece in (
        (b"Content-Length: 100000000\r\n\r\n", million),
        (b"Transfer-Encoding: chunked\r\n\r\n", chunk),
    ):
        with socket.create_connection(("127.0.0.1", port), 30) as connection:
            connection.sendall(head + more)
            with suppress(OSError):  # it hangs up on whoever goes on
                for _ in range(100):
                    connection.sendall(piece)
            with suppress(OSError):
                answers.append(connection.recv(12))

    assert set(answers) <= {b"HTTP/1.1 413", b""}
    assert memory(up) - before < 100_000_000


def test_busy_and_idle_connections(up: Up) -> None:
    """A thousand connections that say nothing keep none of two hundred from sending, time after time."""
    port = int(up.otlp.rpartition(":")[2])
    statuses: list[int] = []

    def send(number: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        for more in range(3):
            body = traces(span(1000 + 3 * number + more)).SerializeToString()
            connection.request("POST", "/v1/traces", body, {"Content-Type": "application/x-protobuf"})
            answer = connection.getresponse()
            answer.read()
            statuses.append(answer.status)
        connection.close()

    with ExitStack() as stack:
        for _ in range(1000):
            stack.enter_context(socket.create_connection(("127.0.0.1", port), 10))
        threads = [threading.Thread(target=send, args=(number,)) for number in range(200)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert Counter(statuses) == {200: 600}


def test_it_still_counts(up: Up) -> None:
    """After all of that what was sent well is in the ledger, once."""
    rows = up.rows("SELECT count(), uniqExact(SpanId) FROM otel_traces WHERE SpanId >= '00000000000003e8'")
    neighbour = up.rows("SELECT count() FROM otel_traces WHERE SpanId = '0000000000000003'")

    assert (rows, neighbour) == ([(600, 600)], [(1,)])
    assert "Traceback" not in "".join(up.errors)
