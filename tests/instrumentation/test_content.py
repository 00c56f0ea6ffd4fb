"""Content of calls: stays inside unless it is asked for, and then leaves as log records, redacted and bounded."""

from __future__ import annotations

import http.server
import logging
import os
import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import anthropic
import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from shared import needs_shared

import farebox
from farebox import _guard, content
from farebox.errors import SettingError
from farebox.testing import Captured
from instrumentation.content_calls import (
    ASKED,
    USER,
    _as_before,
    call,
    claude,
    on,
    only_content,
    swallowed,
    user,
)
from instrumentation.loopback import Loopback
from instrumentation.provider import Provider
from instrumentation.test_corpus import CASES, run

__all__ = ["_as_before", "on", "swallowed"]

# --- off -------------------------------------------------------------------------------------------------------------


class Sink(Loopback):
    """A loopback OTLP endpoint that keeps the path and the body of what it is sent."""

    def __init__(self) -> None:
        self.bodies: list[tuple[str, bytes]] = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(handler) -> None:  # noqa: N805
                self.bodies.append((handler.path, handler.rfile.read(int(handler.headers["content-length"]))))
                handler.send_response(200)
                handler.send_header("content-length", "0")
                handler.end_headers()

            def log_message(self, *_: Any) -> None: ...

        super().__init__(Handler)

    def spans(self) -> list[Any]:
        requests = [ExportTraceServiceRequest.FromString(body) for path, body in self.bodies if path == "/v1/traces"]
        return [span for request in requests for span in request.resource_spans[0].scope_spans[0].spans]

    def records(self) -> list[Any]:
        requests = [ExportLogsServiceRequest.FromString(body) for path, body in self.bodies if path == "/v1/logs"]
        return [record for request in requests for record in request.resource_logs[0].scope_logs[0].log_records]


SCRIPT = """
import anthropic, farebox, os, sys
client = farebox.wrap(anthropic.Anthropic(api_key="k", base_url=sys.argv[1]))
ask = dict(model="m", max_tokens=1, system="a secret system", messages=[{"role": "user", "content": sys.argv[2]}])
ask["tools"] = [{"name": "t", "description": "a secret tool", "input_schema": {"type": "object"}}]
ask["extra_headers"] = {"connection": "close"}
client.messages.create(**ask)
if sys.argv[3] == "fork":
    pid = os.fork()
    client.messages.create(**ask)
    if pid:
        assert os.waitpid(pid, 0)[1] == 0
elif sys.argv[3] == "flush":
    assert farebox.flush(10)
    os._exit(0)
print(sorted(name for name in sys.modules if name.startswith("farebox._content") or name == "farebox.content"))
"""


def run_script(provider: Provider, mode: str, **env: str) -> tuple[Sink, str]:
    with Sink().running() as sink:
        environment = {**os.environ, "OTEL_EXPORTER_OTLP_ENDPOINT": sink.endpoint, **env}
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", SCRIPT, provider.base, ASKED, mode],
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
    return sink, done.stdout


def test_nothing_of_content_leaves_unless_asked_for(provider: Provider) -> None:
    """By default no prompt, answer, tool or argument is in any byte exported, and no code for them is imported."""
    sink, printed = run_script(provider, "plain")

    assert len(sink.spans()) == 1
    assert sink.records() == []
    everything = b"".join(body for _, body in sink.bodies)
    for secret in (ASKED, "a secret system", "a secret tool", "Hello w"):
        assert secret.encode() not in everything
    assert printed.strip() == "[]"


@pytest.mark.parametrize(("mode", "calls"), [("plain", 1), ("flush", 1), ("fork", 3)])
def test_records_are_delivered_with_their_spans(mode: str, calls: int, provider: Provider) -> None:
    """At exit, by flush and from a forked child each attempt's record arrives once, with the ids of its span."""
    sink, _ = run_script(provider, mode, FAREBOX_CAPTURE_CONTENT="true")

    spans, records = sink.spans(), sink.records()
    assert len(spans) == len(records) == calls
    assert {(span.trace_id, span.span_id) for span in spans} == {(each.trace_id, each.span_id) for each in records}
    assert all(ASKED.encode() not in body for path, body in sink.bodies if path == "/v1/traces")
    for record in records:
        (span,) = [span for span in spans if span.span_id == record.span_id]
        assert record.event_name == "gen_ai.client.inference.operation.details"
        assert record.time_unix_nano == span.end_time_unix_nano
        assert record.observed_time_unix_nano >= record.time_unix_nano
        assert ASKED.encode() in record.SerializeToString()


def test_the_disabled_sdk_sends_no_content(provider: Provider) -> None:
    """OTEL_SDK_DISABLED holds for content too."""
    sink, _ = run_script(provider, "plain", FAREBOX_CAPTURE_CONTENT="true", OTEL_SDK_DISABLED="true")

    assert sink.bodies == []


# --- redaction -------------------------------------------------------------------------------------------------------


def hide(said: str) -> str | None:
    """Hides numbers of cards, and drops what is private."""
    if "private" in said:
        return None
    return said.replace("4111", "****")


def test_every_text_passes_the_redaction(provider: Provider, captured: Captured, on: None) -> None:
    """System text, messages, arguments with their keys and numbers, results, tools and addresses; None drops a text."""
    content.redact_with(hide)
    claude(provider).messages.create(
        model="m",
        max_tokens=1,
        system="card 4111",
        messages=[
            {
                "role": "user",
                "content": [{"type": "text", "text": "my 4111"}, {"type": "text", "text": "private"}],
            },
            {
                "role": "assistant",
                "content": [
                    {
                        "type": "tool_use",
                        "id": "t",
                        "name": "pay",
                        "input": {"card": 4111, "by 4111": [True, "private", {"x": "private"}], "why": "private"},
                    }
                ],
            },
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": "4111 ok"}]},
            {
                "role": "user",
                "content": [{"type": "image", "source": {"type": "url", "url": "https://x/4111.png"}}],
            },
        ],
        tools=[{"name": "pay", "description": "with 4111", "input_schema": {"type": "object", "title": "4111"}}],
    )
    (record,) = captured.contents()

    assert "4111" not in repr(record)
    assert "private" not in repr(record)
    assert record["gen_ai.input.messages"][:2] == [
        user("my ****"),
        {"role": "assistant", "parts": [call("t", "pay", {"card": "****", "by ****": [True, {}]})]},
    ]
    assert len(record["gen_ai.input.messages"]) == 4


def fails(said: str) -> str:
    raise ValueError(f"cannot read {said}")


def counts(said: str) -> Any:
    return len(said)


@pytest.mark.parametrize("redaction", [fails, counts])
def test_a_redaction_that_fails_lets_nothing_out(
    redaction: Any,
    provider: Provider,
    captured: Captured,
    on: None,
    swallowed: list[Any],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It fails closed: no record, a call and a span as ever, a failure that is counted, and a log that quotes none."""
    content.redact_with(redaction)
    caplog.set_level(logging.DEBUG)
    with caplog.at_level(logging.DEBUG, logger="farebox"):
        message = claude(provider).messages.create(
            model="m", max_tokens=1, messages=[{"role": "user", "content": ASKED}]
        )

        assert captured.contents() == []
    assert message.content[0].text == "Hello wörld"  # type: ignore[union-attr]
    assert captured.attempts()[0]["farebox.outcome"] == "ok"
    assert _guard.swallowed_errors() == {"redacting content: RedactionError": 1}
    ours = [each for each in caplog.records if each.name == "farebox"]
    assert ours
    assert ASKED not in "".join(logging.Formatter().format(each) for each in ours)


def test_an_unforeseen_error_lets_nothing_out(
    provider: Provider, captured: Captured, on: None, swallowed: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error of our own costs the record alone, and its words, which may quote content, are not logged."""
    monkeypatch.setattr("farebox._content.output_messages", lambda *_: fails(ASKED))
    claude(provider).messages.create(model="m", max_tokens=1, messages=[USER])

    assert captured.contents() == []
    assert captured.attempts()[0]["farebox.outcome"] == "ok"
    assert [str(each) for each in swallowed] == ["no content was exported (ValueError)"]


def test_the_settings_name_a_redaction(
    provider: Provider, captured: Captured, on: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """FAREBOX_REDACT names a function, which the one given to redact_with() precedes."""
    monkeypatch.setenv("FAREBOX_REDACT", f"{__name__}:hide")
    monkeypatch.setitem(sys.modules, __name__, sys.modules.get(__name__) or SimpleNamespace(hide=hide))
    client = claude(provider)
    client.messages.create(model="m", max_tokens=1, messages=[{"role": "user", "content": "4111"}])
    captured.contents()  # waits until the recorder has seen it
    content.redact_with(str.upper)
    client.messages.create(model="m", max_tokens=1, messages=[{"role": "user", "content": "a4111"}])

    assert [record["gen_ai.input.messages"] for record in captured.contents()] == [[user("****")], [user("A4111")]]


@pytest.mark.parametrize("name", ["no_such_module:redact", "json:no_such", "json:__name__"])
def test_a_redaction_that_cannot_be_found_lets_nothing_out(
    name: str, provider: Provider, captured: Captured, on: None, swallowed: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who names a redaction does not get content without it."""
    monkeypatch.setenv("FAREBOX_REDACT", name)
    claude(provider).messages.create(model="m", max_tokens=1, messages=[USER])

    assert captured.contents() == []
    assert [type(each).__name__ for each in swallowed] == ["RedactionError"]
    assert name in str(swallowed[0])


def test_misuse_shows_at_start_up(on: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """A redaction that is no function, or no name of one, is an error where it is given."""
    with pytest.raises(TypeError, match="a function from text to text or None; got str"):
        content.redact_with("not a function")  # type: ignore[arg-type]
    monkeypatch.setenv("FAREBOX_REDACT", "not a name")
    with (
        pytest.raises(SettingError, match="must name a function"),
        anthropic.Anthropic(api_key="k") as client,
    ):
        farebox.wrap(client)


# --- recorded traffic ------------------------------------------------------------------------------------------------

REQUIRED = {
    "blob": {"modality", "content"},
    "file": {"modality", "file_id"},
    "reasoning": {"content"},
    "server_tool_call": {"name", "server_tool_call"},
    "server_tool_call_response": {"server_tool_call_response"},
    "text": {"content"},
    "tool_call": {"name"},
    "tool_call_response": {"response"},
    "uri": {"modality", "uri"},
}


@needs_shared
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_recorded_traffic_has_the_form_of_the_conventions(case: Any, captured: Captured, on: None) -> None:
    """Of every host recorded, each part has the fields that the conventions require, and chunks do not matter."""
    run(case, wrapped=True)
    run(case, wrapped=True, chunk=7)
    first, second = captured.contents()

    assert only_content(first) == only_content(second)
    messages = first.get("gen_ai.input.messages", []) + first.get("gen_ai.output.messages", [])
    assert first["gen_ai.input.messages"]
    for message in messages:
        assert {"role", "parts"} <= set(message) <= {"role", "parts", "name", "finish_reason"}
        assert all(REQUIRED.get(part["type"], set()) <= set(part) for part in message["parts"])
    assert all({"type", "name"} <= set(tool) for tool in first.get("gen_ai.tool.definitions", []))


# --- the application's own provider ----------------------------------------------------------------------------------


def test_with_a_tracer_provider_records_go_to_the_global_logger_provider(
    provider: Provider, on: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Content follows the spans into the application's own pipeline, under the ids that its tracer gave."""
    spans, logs = InMemorySpanExporter(), InMemoryLogRecordExporter()
    tracers, loggers = TracerProvider(shutdown_on_exit=False), LoggerProvider(shutdown_on_exit=False)
    tracers.add_span_processor(SimpleSpanProcessor(spans))
    loggers.add_log_record_processor(SimpleLogRecordProcessor(logs))
    monkeypatch.setattr("opentelemetry._logs._internal._LOGGER_PROVIDER", loggers)
    with anthropic.Anthropic(api_key="k", base_url=provider.base) as client:
        farebox.wrap(client, tracer_provider=tracers)
        client.messages.create(model="m", max_tokens=1, messages=[USER])
    assert farebox.flush(10)

    (span,) = spans.get_finished_spans()
    (found,) = logs.get_finished_logs()
    record = found.log_record
    assert (record.trace_id, record.span_id) == (span.context.trace_id, span.context.span_id)
    assert record.event_name == "gen_ai.client.inference.operation.details"
    assert found.instrumentation_scope.name == "farebox"
    assert record.timestamp == span.end_time
    assert record.attributes["gen_ai.input.messages"] is not None
    assert "gen_ai.input.messages" not in (span.attributes or {})
