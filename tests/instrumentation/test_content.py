"""Content of calls: stays inside unless it is asked for, and then leaves as log records, redacted and bounded."""

from __future__ import annotations

import http.server
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import anthropic
import openai
import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

import farebox
from farebox import _guard, content
from farebox.testing import Captured
from instrumentation.provider import Provider

Attributes = dict[str, Any]

ASKED = "what the patient told the doctor"
PNG = "iVBORw0KGgo" + "Ab1" * 400


_clients: list[Any] = []


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    """Close the clients of a test, and take its redaction away."""
    yield
    content.redact_with(None)
    while _clients:
        _clients.pop().close()


@pytest.fixture
def on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Content is captured."""
    monkeypatch.setenv("FAREBOX_CAPTURE_CONTENT", "true")


@pytest.fixture
def swallowed(monkeypatch: pytest.MonkeyPatch) -> list[BaseException]:
    """What is swallowed, which is not raised at the end of this test."""
    seen: list[BaseException] = []
    monkeypatch.setattr(_guard, "on_swallow", [seen.append])
    monkeypatch.setattr(_guard, "_counts", type(_guard._counts)())
    return seen


def claude(provider: Provider, **headers: str) -> anthropic.Anthropic:
    client = anthropic.Anthropic(api_key="k", base_url=provider.base, max_retries=0, default_headers=headers)
    _clients.append(client)
    return farebox.wrap(client)


def gpt(provider: Provider, **headers: str) -> openai.OpenAI:
    client = openai.OpenAI(api_key="k", base_url=provider.base + "/v1", max_retries=0, default_headers=headers)
    _clients.append(client)
    return farebox.wrap(client)


def text(said: str) -> Attributes:
    return {"type": "text", "content": said}


def user(*said: str) -> Attributes:
    return {"role": "user", "parts": list(map(text, said))}


def assistant(reason: str, *parts: Attributes) -> Attributes:
    return {"role": "assistant", "parts": list(parts), "finish_reason": reason}


def only_content(record: Any) -> Attributes:
    names = ("gen_ai.input.messages", "gen_ai.output.messages", "gen_ai.system_instructions", "gen_ai.tool.definitions")
    return {name: value for name, value in record.items() if name in (*names, "farebox.content.truncated")}


# --- off -------------------------------------------------------------------------------------------------------------


class Sink:
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

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.endpoint = f"http://127.0.0.1:{self._server.server_address[1]}"

    @contextmanager
    def running(self) -> Iterator[Sink]:
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()

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


# --- shapes ----------------------------------------------------------------------------------------------------------


def test_a_message_of_anthropic(provider: Provider, captured: Captured, on: None) -> None:
    """System, tools, question and answer are in the conventions' form, beside the attributes that name the call."""
    with farebox.tags(route="hard", user="u1"):
        claude(provider).messages.create(
            model="claude-haiku-4-5",
            max_tokens=10,
            system=[{"type": "text", "text": "be nice", "cache_control": {"type": "ephemeral"}}],
            messages=[{"role": "user", "content": "hi"}],
            tools=[{"name": "look_up", "description": "looks", "input_schema": {"type": "object"}}],
        )
    (record,) = captured.contents()
    (span,) = captured.attempts()

    assert only_content(record) == {
        "gen_ai.system_instructions": [text("be nice")],
        "gen_ai.input.messages": [user("hi")],
        "gen_ai.output.messages": [
            assistant(
                "tool_use",
                text("Hello wörld"),
                {"type": "tool_call", "id": "tu_1", "name": "look_up", "arguments": {"a": 1}},
            )
        ],
        "gen_ai.tool.definitions": [
            {"type": "function", "name": "look_up", "description": "looks", "parameters": {"type": "object"}}
        ],
    }
    for name in ("gen_ai.operation.name", "gen_ai.provider.name", "gen_ai.request.model", "gen_ai.response.model"):
        assert record[name] == span[name]
    assert record["gen_ai.response.id"] == "msg_1"
    assert (record["farebox.route"], record["farebox.user"]) == ("hard", "u1")


HELLO = [assistant("stop", text("Hello"))]
SHAPES: dict[str, tuple[Callable[[Any], Any], Attributes]] = {
    "chat": (
        lambda c: c.chat.completions.create(
            model="m",
            messages=[
                {"role": "system", "content": "s"},
                {"role": "user", "content": [{"type": "text", "text": "hi"}], "name": "ann"},
            ],
        ),
        {
            "gen_ai.input.messages": [{"role": "system", "parts": [text("s")]}, {**user("hi"), "name": "ann"}],
            "gen_ai.output.messages": HELLO,
        },
    ),
    "two choices": (
        lambda c: c.chat.completions.create(model="m", messages=[{"role": "user", "content": "hi"}], n=2),
        {"gen_ai.input.messages": [user("hi")], "gen_ai.output.messages": HELLO * 2},
    ),
    "completion": (
        lambda c: c.completions.create(model="m", prompt=["one", "two"]),
        {
            "gen_ai.input.messages": [user("one"), user("two")],
            "gen_ai.output.messages": HELLO,
        },
    ),
    "response": (
        lambda c: c.responses.create(model="m", instructions="be nice", input="hi"),
        {
            "gen_ai.system_instructions": [text("be nice")],
            "gen_ai.input.messages": [user("hi")],
            "gen_ai.output.messages": [assistant("completed", text("Hello"))],
        },
    ),
    "embeddings": (
        lambda c: c.embeddings.create(model="m", input=["one", "two"]),
        {"gen_ai.input.messages": [user("one"), user("two")]},
    ),
    "embeddings of tokens": (
        lambda c: c.embeddings.create(model="m", input=[[1, 2], [3, 4, 5]]),
        {
            "gen_ai.input.messages": [
                {"role": "user", "parts": [{"type": "tokens", "count": count}]} for count in (2, 3)
            ]
        },
    ),
}


@pytest.mark.parametrize("name", SHAPES)
def test_the_shapes_of_openai(name: str, provider: Provider, captured: Captured, on: None) -> None:
    """Each API of OpenAI gives its question and its answer in the same form; vectors are not kept."""
    call, expected = SHAPES[name]
    call(gpt(provider))

    (record,) = captured.contents()
    assert only_content(record) == expected


STREAMS: dict[str, tuple[Any, Callable[[Any], Any], list[Attributes]]] = {
    "anthropic": (
        claude,
        lambda c: list(c.messages.create(model="m", max_tokens=1, messages=[USER], stream=True)),
        [
            assistant(
                "tool_use",
                text("Hello wörld"),
                {"type": "tool_call", "id": "tu_1", "name": "look_up", "arguments": {"a": 1}},
            )
        ],
    ),
    "chat": (
        gpt,
        lambda c: list(c.chat.completions.create(model="m", messages=[USER], n=2, stream=True)),
        [assistant("stop", text("Hello wörld"))] * 2,
    ),
    "response": (
        gpt,
        lambda c: list(c.responses.create(model="m", input=[USER], stream=True)),
        [assistant("completed", text("Hello"))],
    ),
}
USER = {"role": "user", "content": "hi"}


@pytest.mark.parametrize("scenario", ["", "gzip", "split"])
@pytest.mark.parametrize("name", STREAMS)
def test_a_stream_gives_what_the_whole_answer_would(
    name: str, scenario: str, provider: Provider, captured: Captured, on: None
) -> None:
    """The pieces of a stream are put together again, however its bytes were cut or packed."""
    make, call, expected = STREAMS[name]
    call(make(provider, **{"x-scenario": scenario}))

    (record,) = captured.contents()
    assert only_content(record) == {"gen_ai.input.messages": [user("hi")], "gen_ai.output.messages": expected}
