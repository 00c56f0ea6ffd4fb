"""OTLP over gRPC, where the environment asks for it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent import futures
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from farebox._encode import Envelope, encode_span
from farebox._otlp_environment import connector
from farebox._otlp_grpc import OtlpGrpc
from farebox._sender import Sender
from instrumentation.provider import Provider
from instrumentation.test_sender import SCRIPT

grpc = pytest.importorskip("grpc")
SPAN = encode_span((1, 2, 0), "chat m", (10, 20), {"farebox.route": "easy"})


class Collector:
    """A gRPC trace service that fails as it is told to, then takes everything."""

    def __init__(self, *failures: tuple[Any, float | None], rejected: int = 0) -> None:
        from opentelemetry.proto.collector.trace.v1.trace_service_pb2_grpc import (
            TraceServiceServicer,
            add_TraceServiceServicer_to_server,
        )

        self.failures, self.spans, self.metadata = list(failures), [], {}
        collector = self

        class Service(TraceServiceServicer):
            def Export(self, request: ExportTraceServiceRequest, context: Any) -> Any:  # noqa: N802
                collector.metadata = dict(context.invocation_metadata())
                if collector.failures:
                    code, retry_after_s = collector.failures.pop(0)
                    if retry_after_s is not None:
                        context.set_trailing_metadata((("grpc-status-details-bin", retry_info(retry_after_s)),))
                    context.abort(code, "not now")
                for resource in request.resource_spans:
                    for scope in resource.scope_spans:
                        collector.spans.extend(scope.spans)
                answer = ExportTraceServiceResponse()
                answer.partial_success.rejected_spans = rejected
                return answer

        self._server = grpc.server(futures.ThreadPoolExecutor(2))
        add_TraceServiceServicer_to_server(Service(), self._server)
        self.endpoint = f"http://127.0.0.1:{self._server.add_insecure_port('127.0.0.1:0')}"

    @contextmanager
    def running(self) -> Iterator[Collector]:
        self._server.start()
        try:
            yield self
        finally:
            self._server.stop(None).wait()


def retry_info(seconds: float) -> bytes:
    from google.rpc.error_details_pb2 import RetryInfo
    from google.rpc.status_pb2 import Status

    info = RetryInfo()
    info.retry_delay.FromTimedelta(timedelta(seconds=seconds))
    status = Status()
    status.details.add().Pack(info)
    encoded: bytes = status.SerializeToString()
    return encoded


def deliver(collector: Collector, monkeypatch: pytest.MonkeyPatch) -> Sender:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "Authorization=Bearer%20x")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip")
    sender = Sender(connector(), Envelope({"service.name": "shop"}, "farebox", "1"))
    sender.put(SPAN)
    assert sender.drain(10, give_up=False)
    sender.shutdown()
    return sender


def test_spans_arrive_over_grpc(monkeypatch: pytest.MonkeyPatch) -> None:
    """Endpoint, headers and compression are the variables'; the span is the one that HTTP would carry."""
    with Collector().running() as collector:
        sender = deliver(collector, monkeypatch)

    assert [span.name for span in collector.spans] == ["chat m"]
    assert collector.metadata["authorization"] == "Bearer x"
    assert sender.sent == 1


@pytest.mark.parametrize("failure", [("UNAVAILABLE", None), ("ABORTED", None), ("RESOURCE_EXHAUSTED", 0.01)])
def test_what_may_pass_is_tried_again(failure: tuple[str, float | None], monkeypatch: pytest.MonkeyPatch) -> None:
    """Retryable statuses delay a batch; of exhausted resources, those that say when to come back."""
    name, after = failure
    with Collector((getattr(grpc.StatusCode, name), after)).running() as collector:
        sender = deliver(collector, monkeypatch)

    assert (sender.sent, sender.refused) == (1, 0)


@pytest.mark.parametrize("name", ["INVALID_ARGUMENT", "RESOURCE_EXHAUSTED", "UNAUTHENTICATED"])
def test_what_will_not_pass_is_counted(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Other statuses are final: the batch is refused, and blocks nothing."""
    with Collector((getattr(grpc.StatusCode, name), None)).running() as collector:
        sender = deliver(collector, monkeypatch)

    assert (sender.sent, sender.refused, collector.spans) == (0, 1, [])


def test_rejected_spans_are_no_success(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a partial success leaves out counts as refused, not as sent."""
    with Collector(rejected=1).running() as collector:
        sender = deliver(collector, monkeypatch)

    assert (sender.sent, sender.refused) == (0, 1)


def test_https_and_bare_addresses_are_secure(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a scheme a channel is encrypted, unless OTEL_EXPORTER_OTLP_INSECURE says otherwise."""
    made: list[tuple[str, str]] = []
    monkeypatch.setattr(grpc, "secure_channel", lambda to, _: made.append(("secure", to)) or grpc.insecure_channel(to))
    for endpoint in ("https://host:1", "host:2"):
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)
        OtlpGrpc.from_environment().close()
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_INSECURE", "true")
    OtlpGrpc.from_environment().close()

    assert made == [("secure", "host:1"), ("secure", "host:2")]


def test_a_script_delivers_over_grpc(provider: Provider) -> None:
    """`OTEL_EXPORTER_OTLP_PROTOCOL=grpc` is all it takes."""
    with Collector().running() as collector:
        environment = {
            **os.environ,
            "OTEL_EXPORTER_OTLP_ENDPOINT": collector.endpoint,
            "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc",
        }
        command = [sys.executable, "-W", "ignore", "-c", SCRIPT, provider.base, "plain"]
        subprocess.run(command, env=environment, timeout=30, check=True)

    assert len(collector.spans) == 1
