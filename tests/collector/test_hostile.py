"""Whatever is sent, the collector answers with the right status, grows no further and goes on."""

from __future__ import annotations

import gzip
import json
import os
import random
import socket
import time
from collections.abc import Callable
from contextlib import ExitStack

import pytest
import requests
from farebox_up import Up
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from otlp_messages import any_value, span, traces

JSON = {"Content-Type": "application/json"}
GZIP = {"Content-Encoding": "gzip"}
# Seconds of fuzzing: short with the other tests, longer when asked.
FUZZ_S = float(os.environ.get("FAREBOX_FUZZ_S", "3"))
GROWTH_BYTES_MAX = 300 * 1024 * 1024


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


def test_idle_connections(up: Up) -> None:
    """A thousand connections that say nothing keep nobody from sending."""
    port = int(up.otlp.rpartition(":")[2])
    with ExitStack() as stack:
        for _ in range(1000):
            stack.enter_context(socket.create_connection(("127.0.0.1", port), 10))

        assert up.post(traces(span(6)).SerializeToString()).status_code == 200


def test_fuzz(up: Up) -> None:
    """Random bytes and broken messages get a status of the protocol, and memory stays where it was."""
    dice = random.Random(20261123)
    good = traces(*(span(number, {"text": "日本", "n": 1.5, "list": ["a", 1]}) for number in range(20, 40)))
    seeds = [
        good.SerializeToString(),
        gzip.compress(good.SerializeToString()),
        json.dumps({"resourceSpans": []}).encode(),
    ]
    kinds = ["application/x-protobuf", "application/json", "text/plain"]
    encodings = ["", "gzip", "deflate", "zstd"]
    paths = ["/v1/traces", "/v1/logs", "/v1/metrics"]
    before, sent = memory(up), 0
    until = time.monotonic() + FUZZ_S
    with requests.Session() as session:
        while time.monotonic() < until or sent < 100:
            body = bytearray(dice.choice(seeds) if dice.random() < 0.7 else dice.randbytes(dice.randrange(2000)))
            for _ in range(dice.randrange(8) if body else 0):
                place = dice.randrange(len(body))
                body[place : place + dice.randrange(3)] = dice.randbytes(dice.randrange(4))
                body = body or bytearray(b"x")
            headers = {"Content-Type": dice.choice(kinds), "Content-Encoding": dice.choice(encodings)}
            answer = session.post(up.otlp + dice.choice(paths), bytes(body), headers=headers, timeout=30)
            sent += 1

            assert answer.status_code in (200, 400, 413, 415), (answer.status_code, bytes(body), headers)
    assert memory(up) - before < GROWTH_BYTES_MAX
    assert up.post(traces(span(7)).SerializeToString()).status_code == 200
    assert "Traceback" not in "".join(up.errors)


def test_it_still_counts(up: Up) -> None:
    """After all of that what was sent well is in the ledger, once."""
    rows = up.rows(
        "SELECT SpanId, count() FROM otel_traces WHERE SpanId IN ('0000000000000003', '0000000000000006', "
        "'0000000000000007') GROUP BY SpanId ORDER BY SpanId"
    )

    assert rows == [(f"{number:016x}", 1) for number in (3, 6, 7)]
