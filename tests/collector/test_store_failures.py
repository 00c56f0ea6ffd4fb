"""What clients are told when the collector cannot keep or store their spans."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import requests
from collector.pipeline import Pipeline, running
from farebox_up import wait_until
from google.rpc.status_pb2 import Status
from otlp_messages import span, traces
from starlette.types import ASGIApp

from farebox_collector._http import HOST, Server
from farebox_collector._intake import Intake, Limits
from farebox_collector._journal import Bounds
from farebox_collector._receiver import Receiver
from farebox_ledger import Store, open_store

MEBIBYTE = 1024 * 1024


@dataclass
class Place:
    """A receiver at an address, and the pipeline behind it."""

    address: str
    pipeline: Pipeline

    def post(self, *spans: object) -> requests.Response:
        body = traces(*spans).SerializeToString()  # type: ignore[arg-type]
        headers = {"Content-Type": "application/x-protobuf"}
        return requests.post(self.address + "/v1/traces", body, headers=headers, timeout=20)

    def ready(self) -> requests.Response:
        return requests.get(self.address + "/readyz", timeout=10)


@pytest.fixture(scope="module")
def store(_shared_store: Store) -> Iterator[Store]:
    with open_store(replace(_shared_store.dsn, database="collector_failures")) as store:
        yield store


@pytest.fixture
def place(store: Store, serve: Callable[[ASGIApp], Server], tmp_path: Path) -> Iterator[Place]:
    with running(store, tmp_path, Bounds(4000, 3600.0)) as pipeline, ThreadPoolExecutor(1) as workers:
        intake = Intake(
            pipeline.journal,
            lambda: pipeline.journal.failure or pipeline.loader.failure,
            workers,
            pipeline.counts,
            Limits(MEBIBYTE, MEBIBYTE),
        )
        yield Place(f"http://{HOST}:{serve(Receiver(intake).app()).port}", pipeline)


def test_store_fails_for_a_while(place: Place, store: Store) -> None:
    """While the store fails, spans are taken until the journal is full, and readiness says why; then all is stored."""
    with store.new_client() as client:
        client.command("RENAME TABLE otel_traces TO elsewhere")
        taken = place.post(span(1), span(2))
        wait_until(lambda: place.ready().status_code == 503)
        failing = place.ready()
        full = place.post(*(span(number) for number in range(10, 90)))
        client.command("RENAME TABLE elsewhere TO otel_traces")
        wait_until(lambda: place.ready().status_code == 200)
        again = place.post(*(span(number) for number in range(10, 15)))
        place.pipeline.settle()

        assert client.command("SELECT uniqExact(SpanId) FROM otel_traces") == 7
    assert taken.status_code == again.status_code == 200
    assert (full.status_code, full.headers["retry-after"]) == (503, "10")
    assert Status.FromString(full.content).code == 14
    assert failing.json()["status"] == "failing"
    assert "UNKNOWN_TABLE" in failing.json()["reason"]
    assert place.pipeline.counts.all()["journal_full"] == 1


def test_journal_cannot_be_written(place: Place) -> None:
    """Where nothing can be written nothing is acknowledged: 503, and readiness says why."""
    folder = place.pipeline.journal.folder
    folder.rename(folder.with_name("elsewhere"))
    refused = place.post(span(101))
    failing = place.ready()
    folder.with_name("elsewhere").rename(folder)
    taken = place.post(span(101))

    assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
    assert "the journal cannot be written" in Status.FromString(refused.content).message
    assert (failing.status_code, taken.status_code, place.ready().status_code) == (503, 200, 200)


def test_body_that_comes_again(place: Place, store: Store) -> None:
    """A body whose answer was lost is answered again and stored once."""
    sent = span(201)
    statuses = [place.post(sent).status_code for _ in range(3)]
    place.pipeline.settle()

    assert statuses == [200, 200, 200]
    assert place.pipeline.counts.all()["spans_duplicate"] == 2
    with store.new_client() as client:
        assert client.command("SELECT count() FROM otel_traces WHERE SpanId = '00000000000000c9'") == 1
