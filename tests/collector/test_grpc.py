"""OTLP over gRPC: the official exporter's spans and logs are kept, and errors are gRPC's own."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import grpc
import pytest
from collector.test_up import refused
from farebox_up import Up
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status
from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SpanExportResult
from otlp_messages import log_record, logs, span, traces

_numbers = count(7_000_000)
SERVICE = "/opentelemetry.proto.collector.{}.v1.{}Service/Export"
TRACES, LOGS, METRICS = (
    SERVICE.format("trace", "Trace"),
    SERVICE.format("logs", "Logs"),
    SERVICE.format("metrics", "Metrics"),
)


@pytest.fixture
def number() -> int:
    return next(_numbers) * 10_000


@pytest.fixture
def channel(up: Up) -> Iterator[grpc.Channel]:
    with grpc.insecure_channel(up.grpc) as opened:
        yield opened


def call(channel: grpc.Channel, method: str, body: bytes, **options: Any) -> bytes:
    """Send a body as it is and return the answer as it is."""
    answer: bytes = channel.unary_unary(method)(body, timeout=30, **options)
    return answer


def stored(up: Up, table: str, number: int) -> int:
    found: int = up.rows(f"SELECT count() FROM {table} WHERE SpanId = '{number:016x}'")[0][0]
    return found


@pytest.mark.parametrize("compression", [grpc.Compression.NoCompression, grpc.Compression.Gzip])
def test_official_exporter(up: Up, compression: grpc.Compression) -> None:
    """What the official exporter sends over gRPC is stored."""
    exporter = OTLPSpanExporter(up.grpc, insecure=True, compression=compression)
    provider = TracerProvider(resource=Resource({"service.name": "shop"}))
    made = provider.get_tracer("farebox", "0.1.0").start_span("chat", attributes={"int": 7})
    made.end()

    assert exporter.export([made]) is SpanExportResult.SUCCESS  # type: ignore[list-item]
    exporter.shutdown()
    row = up.rows(
        f"SELECT ServiceName, SpanAttributes FROM otel_traces WHERE SpanId = '{made.get_span_context().span_id:016x}'"
    )
    assert row == [("shop", {"int": "7"})]


def test_official_log_exporter(up: Up, channel: grpc.Channel, number: int) -> None:
    """Records of farebox's scope are stored; others and metrics are acknowledged."""
    body = logs(log_record(number)).SerializeToString()

    assert ExportLogsServiceResponse.FromString(call(channel, LOGS, body)) == ExportLogsServiceResponse()
    assert call(channel, LOGS, logs(log_record(number + 1), scope="other").SerializeToString()) == b""
    assert call(channel, METRICS, b"") == b""
    assert (stored(up, "otel_logs", number), stored(up, "otel_logs", number + 1)) == (1, 0)
    OTLPLogExporter(up.grpc, insecure=True).shutdown()


def test_partial_success(up: Up, channel: grpc.Channel, number: int) -> None:
    """Invalid spans are counted in the answer with the reason; the valid ones are stored."""
    body = traces(span(number), span(number + 1, span_id=b"")).SerializeToString()
    partial = ExportTraceServiceResponse.FromString(call(channel, TRACES, body)).partial_success

    assert (partial.rejected_spans, partial.error_message) == (1, "1 spans: span_id has 0 bytes instead of 8")
    assert stored(up, "otel_traces", number) == 1


@pytest.mark.parametrize(
    ("method", "body", "code"),
    [
        (TRACES, b"garbage", grpc.StatusCode.INVALID_ARGUMENT),
        (TRACES, bytes(17 * 1024 * 1024), grpc.StatusCode.RESOURCE_EXHAUSTED),
        (SERVICE.format("profiles", "Profiles"), b"", grpc.StatusCode.UNIMPLEMENTED),
    ],
)
def test_refusals(channel: grpc.Channel, method: str, body: bytes, code: grpc.StatusCode) -> None:
    """What cannot be taken gets a status that says not to come back with it."""
    with pytest.raises(grpc.RpcError) as refusal:
        call(channel, method, body)

    assert refusal.value.code() is code  # type: ignore[attr-defined]
    assert "grpc-status-details-bin" not in dict(refusal.value.trailing_metadata()) or method == TRACES  # type: ignore[attr-defined]


def test_come_back(start_up: Callable[..., Up], tmp_path: Path, number: int) -> None:
    """When nothing more can be kept now the status is UNAVAILABLE and says when to come back."""
    small = start_up(tmp_path / "ledger", intake_bytes_max="50000")
    with grpc.insecure_channel(small.grpc) as channel, pytest.raises(grpc.RpcError) as refusal:
        call(channel, TRACES, traces(span(number, {"text": "x" * 60_000})).SerializeToString())
    details = Status.FromString(dict(refusal.value.trailing_metadata())["grpc-status-details-bin"])  # type: ignore[attr-defined]
    when = RetryInfo()
    details.details[0].Unpack(when)

    assert refusal.value.code() is grpc.StatusCode.UNAVAILABLE  # type: ignore[attr-defined]
    assert (details.code, when.retry_delay.seconds) == (14, 1)
    assert small.stop() == 0


def test_port_taken(up: Up, tmp_path: Path) -> None:
    """A port in use is named with the option that chooses another."""
    port = up.grpc.rpartition(":")[2]
    said = refused("--dsn", f"chdb:{tmp_path}/l", "--otlp-port", "0", "--clickhouse-port", "0", "--grpc-port", port)

    assert f"port {port} is taken" in said
    assert "--grpc-port" in said


def test_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without its extra, gRPC is left out; who asks for it is told what to install."""
    from farebox_collector.command import _grpc_port
    from farebox_collector.errors import CollectorError

    monkeypatch.setitem(sys.modules, "grpc", None)
    monkeypatch.setitem(sys.modules, "grpc.aio", None)

    assert _grpc_port(None) is None
    with pytest.raises(CollectorError, match=r"pip install 'farebox\[grpc\]'"):
        _grpc_port("4317")
