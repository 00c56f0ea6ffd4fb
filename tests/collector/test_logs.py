"""Logs over OTLP: farebox's own are stored before the answer, others are acknowledged and counted."""

from __future__ import annotations

import gzip
import json
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import anthropic
import pytest
from farebox_up import Up
from google.protobuf.json_format import MessageToDict
from google.rpc.status_pb2 import Status
from hypothesis import given
from hypothesis import strategies as st
from instrumentation.provider import Provider
from instrumentation.provider import start as start_provider
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceResponse
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from otlp_messages import any_value, log_record, logs

import farebox
from farebox import _content, _spans
from farebox_collector._logs import LOGS_SCHEMA, log_rows_of

if TYPE_CHECKING:
    import requests

_numbers = count(9_000_000)
JSON = {"Content-Type": "application/json"}


@pytest.fixture
def number() -> int:
    """A number of spans that no other test uses."""
    return next(_numbers) * 10


def stored(up: Up, *numbers: int) -> list[int]:
    """Those of the records that are in the table, in order, as often as they are there."""
    names = ", ".join(f"'{number:016x}'" for number in numbers)
    return [
        int(row[0], 16) for row in up.rows(f"SELECT SpanId FROM otel_logs WHERE SpanId IN ({names}) ORDER BY SpanId")
    ]


def rise(up: Up, before: dict[str, int], name: str) -> int:
    return up.counts().get(name, 0) - before.get(name, 0)


# --- rows ------------------------------------------------------------------------------------------------------------


def test_columns() -> None:
    """Every field of a record lands in its column, structure as JSON with sorted keys."""
    messages = [{"role": "user", "parts": [{"type": "text", "content": "hé"}]}]
    record = log_record(
        7, {"gen_ai.input.messages": messages, "n": 1}, severity_text="INFO", severity_number=9, flags=0x101
    )
    record.body.string_value = "b"
    request = logs(record)
    request.resource_logs[0].schema_url = "r"
    request.resource_logs[0].scope_logs[0].schema_url = "s"
    request.resource_logs[0].scope_logs[0].scope.attributes.add(key="a", value=any_value("x"))
    (row,) = log_rows_of(request).table.to_pylist()

    timestamp = row.pop("Timestamp")
    assert timestamp.value == record.time_unix_nano
    assert row == {
        "TraceId": f"{7:032x}",
        "SpanId": f"{7:016x}",
        "TraceFlags": 1,
        "SeverityText": "INFO",
        "SeverityNumber": 9,
        "ServiceName": "shop",
        "Body": "b",
        "ResourceSchemaUrl": "r",
        "ResourceAttributes": [("service.name", "shop")],
        "ScopeSchemaUrl": "s",
        "ScopeName": "farebox",
        "ScopeVersion": "0.1.0",
        "ScopeAttributes": [("a", "x")],
        "LogAttributes": [
            ("gen_ai.input.messages", '[{"parts":[{"content":"hé","type":"text"}],"role":"user"}]'),
            ("n", "1"),
        ],
        "EventName": "gen_ai.client.inference.operation.details",
    }


def test_a_record_without_a_time_has_that_of_its_observation() -> None:
    """As in the Collector's exporter."""
    record = log_record(1, time_unix_nano=0, observed_time_unix_nano=5)

    assert log_rows_of(logs(record)).table["Timestamp"][0].value == 5


def test_other_scopes_are_counted_and_left_out() -> None:
    """Only farebox's own records are stored: the ledger is no log store."""
    request = logs(log_record(1))
    request.MergeFrom(logs(log_record(2), log_record(3), scope="app"))
    rows = log_rows_of(request)

    assert (rows.table.num_rows, rows.others, rows.rejected) == (1, 2, {})


RECORDS = st.builds(
    LogRecord,
    time_unix_nano=st.integers(0, 2**64 - 1),
    observed_time_unix_nano=st.integers(0, 2**64 - 1),
    trace_id=st.binary(max_size=17),
    span_id=st.binary(max_size=9),
    severity_number=st.integers(-5, 500),
    flags=st.integers(0, 2**32 - 1),
    event_name=st.text(max_size=5),
)


@given(st.lists(RECORDS, max_size=5))
def test_any_record_makes_a_row_or_a_reason(records: list[LogRecord]) -> None:
    """Whatever a client sends, each record is in the table or counted with its reason."""
    rows = log_rows_of(logs(*records))

    assert rows.table.schema == LOGS_SCHEMA
    assert rows.table.num_rows + rows.rejected.total() == len(records)


# --- over HTTP -------------------------------------------------------------------------------------------------------


def test_stored_before_the_answer(up: Up, number: int) -> None:
    """After 200 the records can be read; a request that is sent again is answered again and stored once."""
    before = up.counts()
    body = logs(log_record(number), log_record(number + 1)).SerializeToString()
    answers = [up.post(body, path="/v1/logs") for _ in range(2)]

    assert [(each.status_code, each.content) for each in answers] == [(200, b"")] * 2
    assert stored(up, number, number + 1) == [number, number + 1]
    assert rise(up, before, "log_records_received") == 4


def test_json_and_gzip(up: Up, number: int) -> None:
    """JSON with hexadecimal ids is taken and answered as JSON, compressed too."""
    document = MessageToDict(logs(log_record(number)))
    made = document["resourceLogs"][0]["scopeLogs"][0]["logRecords"][0]
    made |= {"traceId": f"{number:032x}", "spanId": f"{number:016X}"}
    body = gzip.compress(json.dumps(document).encode())
    answer = up.post(body, {**JSON, "Content-Encoding": "gzip"}, path="/v1/logs")

    assert (answer.status_code, answer.headers["content-type"], answer.json()) == (200, "application/json", {})
    assert stored(up, number) == [number]


def test_partial_success(up: Up, number: int) -> None:
    """Records with ids of a wrong length are counted in the answer with the reason; the valid ones are stored."""
    request = logs(log_record(number), log_record(number + 1, span_id=b"short"))
    answer = up.post(request.SerializeToString(), path="/v1/logs")

    partial = ExportLogsServiceResponse.FromString(answer.content).partial_success
    assert (answer.status_code, partial.rejected_log_records) == (200, 1)
    assert partial.error_message == "1 log records: span_id has 5 bytes instead of 8"
    assert stored(up, number) == [number]


@pytest.mark.parametrize("path", ["/v1/logs", "/v1/metrics"])
@pytest.mark.parametrize(
    ("body", "headers", "expected"),
    [
        (b"\xff\xff", {}, 400),
        (b"[]", JSON, 400),
        (b"not gzip", {"Content-Encoding": "gzip"}, 400),
        (b"x", {"Content-Type": "text/plain"}, 415),
        (gzip.compress(bytes(17 * 1024 * 1024)), {"Content-Encoding": "gzip"}, 413),
    ],
)
def test_refusals(up: Up, path: str, body: bytes, headers: dict[str, str], expected: int) -> None:
    """What is no OTLP, or too much of it, is refused as for traces, with a google.rpc.Status that says why."""
    answer: requests.Response = up.post(body, headers, path=path)

    assert answer.status_code == expected
    told = answer.json()["message"] if headers == JSON else Status.FromString(answer.content).message
    assert told


def test_official_exporters_of_other_telemetry_are_content(up: Up, caplog: pytest.LogCaptureFixture) -> None:
    """An application that sends all its telemetry here gets no errors; what is not farebox's is counted, not kept."""
    before, rows = up.counts(), up.rows("SELECT count() FROM otel_logs")
    provider = LoggerProvider(shutdown_on_exit=False)
    provider.add_log_record_processor(SimpleLogRecordProcessor(OTLPLogExporter(up.otlp + "/v1/logs")))
    provider.get_logger("app").emit(body="hello", timestamp=time.time_ns())
    reader = PeriodicExportingMetricReader(OTLPMetricExporter(up.otlp + "/v1/metrics"), 60_000)
    meters = MeterProvider([reader], shutdown_on_exit=False)
    meters.get_meter("app").create_counter("calls").add(1)
    meters.shutdown()
    provider.shutdown()

    assert rise(up, before, "log_records_acknowledged") == 1
    assert rise(up, before, "metrics_acknowledged") == 1
    assert up.rows("SELECT count() FROM otel_logs") == rows
    assert caplog.records == []


def test_metrics_are_acknowledged(up: Up) -> None:
    """Metrics are answered with success in the request's encoding."""
    answer = up.post(b"\x0a\x00", path="/v1/metrics")

    assert ExportMetricsServiceResponse.FromString(answer.content) == ExportMetricsServiceResponse()
    assert up.post(b"{}", JSON, path="/v1/metrics").json() == {}


# --- the writer ------------------------------------------------------------------------------------------------------


# --- end to end ------------------------------------------------------------------------------------------------------


@pytest.fixture
def provider() -> Provider:
    return start_provider()


def test_content_joins_its_attempt_in_the_ledger(
    start_up: Callable[..., Up], tmp_path: Path, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From a call of the real SDK: one row of content an attempt, which joins the ledger by trace and span id."""
    up = start_up(tmp_path / "ledger")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", up.otlp)
    monkeypatch.setenv("FAREBOX_CAPTURE_CONTENT", "true")
    with anthropic.Anthropic(api_key="k", base_url=provider.base) as client, farebox.tags(route="hard"):
        farebox.wrap(client, provider="anthropic")
        for sender in (_spans.farebox_sender(), _content.content_sender()):
            assert sender is not None
            sender.shutdown()  # an earlier test's connection must not take this test's records
            sender.after_fork()
        client.messages.create(
            model="claude-haiku-4-5", max_tokens=9, messages=[{"role": "user", "content": "how much?"}]
        )
        assert farebox.flush(30)

    found = up.rows(
        "SELECT a.model, a.route, l.EventName, l.LogAttributes['gen_ai.input.messages'], "
        "JSONExtractString(l.LogAttributes['gen_ai.output.messages'], 1, 'parts', 1, 'content'), "
        "a.output_tokens, l.LogAttributes['farebox.call_id'] = a.call_id "
        "FROM llm_attempts AS a INNER JOIN otel_logs AS l "
        "ON l.TraceId = lower(hex(a.trace_id)) AND l.SpanId = lower(hex(a.span_id))"
    )
    assert found == [
        (
            "claude-haiku-4-5",
            "hard",
            "gen_ai.client.inference.operation.details",
            '[{"parts":[{"content":"how much?","type":"text"}],"role":"user"}]',
            "Hello wörld",
            42,
            1,
        )
    ]
    assert up.rows("SELECT count() FROM otel_traces WHERE toString(SpanAttributes) LIKE '%how much?%'") == [(0,)]
