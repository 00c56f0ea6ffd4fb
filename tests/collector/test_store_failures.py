"""What clients are told when the store cannot take their spans, now or ever."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
import requests
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from otlp_messages import span, traces
from starlette.types import ASGIApp

from farebox_collector._counts import Counts
from farebox_collector._http import HOST, Server
from farebox_collector._receiver import Limits, Receiver
from farebox_collector._writer import Writer
from farebox_ledger import Store, open_store

MEBIBYTE = 1024 * 1024


@pytest.fixture(scope="module")
def store(_shared_store: Store) -> Iterator[Store]:
    with open_store(replace(_shared_store.dsn, database="collector_failures")) as store:
        yield store


@pytest.fixture
def address(store: Store, serve: Callable[[ASGIApp], Server]) -> Iterator[str]:
    writer = Writer(store.client, Counts())
    with ThreadPoolExecutor(1) as workers:
        receiver = Receiver(writer, workers, Counts(), Limits(MEBIBYTE, MEBIBYTE))
        yield f"http://{HOST}:{serve(receiver.app()).port}"
        writer.close(20)


def post(address: str, body: bytes) -> requests.Response:
    return requests.post(address + "/v1/traces", body, headers={"Content-Type": "application/x-protobuf"}, timeout=20)


def test_store_fails_for_a_while(address: str, store: Store) -> None:
    """While the store fails, clients are asked to come back and readiness says why; then all is stored."""
    body = traces(span(1), span(2)).SerializeToString()
    with store.new_client() as client:
        client.command("RENAME TABLE otel_traces TO elsewhere")
        refused = post(address, body)
        failing = requests.get(address + "/readyz", timeout=10)
        client.command("RENAME TABLE elsewhere TO otel_traces")
        taken = post(address, body)
        ready = requests.get(address + "/readyz", timeout=10)

        assert client.command("SELECT uniqExact(SpanId) FROM otel_traces") == 2
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
    assert Status.FromString(refused.content).code == 14
    assert (failing.status_code, failing.json()["status"]) == (503, "failing")
    assert "UNKNOWN_TABLE" in failing.json()["reason"]
    assert (taken.status_code, ready.status_code) == (200, 200)


def test_store_refuses_a_span(address: str, store: Store) -> None:
    """A span that the store can never take is a partial success with ClickHouse's reason."""
    with store.new_client() as client:
        client.command("ALTER TABLE otel_traces ADD CONSTRAINT no_poison CHECK SpanName != 'poison'")
        body = traces(span(11), span(12, name="poison"), span(13, span_id=b"")).SerializeToString()
        answer = post(address, body)
        client.command("ALTER TABLE otel_traces DROP CONSTRAINT no_poison")

    partial = ExportTraceServiceResponse.FromString(answer.content).partial_success
    assert (answer.status_code, partial.rejected_spans) == (200, 2)
    assert "span_id has 0 bytes instead of 8" in partial.error_message
    assert "no_poison" in partial.error_message
