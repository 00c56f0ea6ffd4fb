"""Content of calls: stays inside unless it is asked for, and then leaves as log records, redacted and bounded."""

from __future__ import annotations

import http.server
import logging
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import anthropic
import httpx2
import openai
import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from shared import needs_shared

import farebox
from farebox import _content, _content_parts, _guard, _spans, content
from farebox._content import RECORD_BYTES_MAX
from farebox._content_texts import Texts
from farebox._encode import Envelope, encode_log
from farebox._otlp_http import OtlpHttp
from farebox._recorder import recorder
from farebox._sender import BATCH_BYTES_MAX, Sender
from farebox.errors import SettingError
from farebox.testing import Captured
from instrumentation.loopback import Loopback
from instrumentation.provider import Provider
from instrumentation.test_corpus import CASES, run

Attributes = dict[str, Any]

ASKED = "what the patient told the doctor"
PNG = "iVBORw0KGgo" + "Ab1" * 400


_clients: list[Any] = []


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    """Begin with senders that have no connection; close the clients of a test, and take its redaction away."""
    recorder().drain(timeout_s=10)  # an earlier test's late record would connect them to nowhere
    for sender in (_spans.farebox_sender(), _content.content_sender()):
        if sender is not None:
            sender.shutdown()
            sender.after_fork()
    yield
    content.redact_with(None)
    while _clients:
        _clients.pop().close()


@pytest.fixture
def on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Content is captured."""
    monkeypatch.setenv("FAREBOX_CAPTURE_CONTENT", "true")


@pytest.fixture
def swallowed() -> Iterator[list[BaseException]]:
    """What is swallowed, which is not raised at the end of this test."""
    seen: list[BaseException] = []
    former, _guard.on_swallow[:] = list(_guard.on_swallow), [seen.append]
    counted = dict(_guard._counts)
    _guard._counts.clear()
    yield seen
    _guard.on_swallow[:] = former
    _guard._counts.update(counted)


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


def test_a_cut_stream_keeps_what_was_seen(provider: Provider, captured: Captured, on: None) -> None:
    """Of an answer that broke off, what came is content, without a reason for its end."""
    with pytest.raises(httpx2.RemoteProtocolError):
        list(
            claude(provider, **{"x-scenario": "cut:5"}).messages.create(
                model="m", max_tokens=1, messages=[USER], stream=True
            )
        )
    (record,) = captured.contents()

    assert record["gen_ai.output.messages"] == [{"role": "assistant", "parts": [text("Hello ")]}]
    assert record["error.type"]


def test_a_cut_response_keeps_what_was_seen(provider: Provider, captured: Captured, on: None) -> None:
    """The same of the Responses API, whose last event repeats all and did not come."""
    with pytest.raises((openai.APIConnectionError, httpx2.RemoteProtocolError)):  # the former in newer releases
        list(gpt(provider, **{"x-scenario": "cut:4"}).responses.create(model="m", input="hi", stream=True))
    (record,) = captured.contents()

    assert record["gen_ai.output.messages"] == [{"role": "assistant", "parts": [text("Hello")]}]


def test_a_refused_call_has_its_question(provider: Provider, captured: Captured, on: None) -> None:
    """Each attempt has its record: of one that the provider refused it holds what was asked."""
    with pytest.raises(anthropic.BadRequestError):
        claude(provider, **{"x-scenario": "fail:1,400"}).messages.create(model="m", max_tokens=1, messages=[USER])
    (record,) = captured.contents()

    assert only_content(record) == {"gen_ai.input.messages": [user("hi")]}


# --- parts -----------------------------------------------------------------------------------------------------------


def blob(modality: str, mime: str | None, size: int) -> Attributes:
    named = {} if mime is None else {"mime_type": mime}
    return {"type": "blob", "modality": modality, **named, "content": "", "bytes": size}


SIZE = len(PNG) * 3 // 4
BINARY: dict[str, tuple[Callable[[Provider], Any], list[Attributes]]] = {
    "anthropic": (
        lambda p: claude(p).messages.create(
            model="m",
            max_tokens=1,
            messages=[
                {
                    "role": "user",
                    "content": [
                        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}},
                        {"type": "image", "source": {"type": "url", "url": "https://a.example/b.png"}},
                        {
                            "type": "document",
                            "title": "t",
                            "source": {"type": "base64", "media_type": "application/pdf", "data": PNG},
                        },
                        {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "words"}},
                    ],
                }
            ],
        ),
        [
            blob("image", "image/png", SIZE),
            {"type": "uri", "modality": "image", "uri": "https://a.example/b.png"},
            {**blob("document", "application/pdf", SIZE), "title": "t"},
            text("words"),
        ],
    ),
    "chat": (
        lambda p: gpt(p).chat.completions.create(
            model="m",
            messages=[
                {
                    "role": "user",
                    "content": [
                        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}},
                        {"type": "input_audio", "input_audio": {"data": PNG, "format": "wav"}},
                        {
                            "type": "file",
                            "file": {"filename": "a.pdf", "file_data": f"data:application/pdf;base64,{PNG}"},
                        },
                        {"type": "file", "file": {"file_id": "file_1"}},
                    ],
                }
            ],
        ),
        [
            blob("image", "image/png", SIZE),
            blob("audio", "audio/wav", SIZE),
            {**blob("document", "application/pdf", SIZE), "filename": "a.pdf"},
            {"type": "file", "modality": "document", "file_id": "file_1"},
        ],
    ),
    "response": (
        lambda p: gpt(p).responses.create(
            model="m",
            input=[
                {
                    "role": "user",
                    "content": [
                        {"type": "input_image", "image_url": f"data:image/jpeg;base64,{PNG}", "detail": "auto"},
                        {"type": "input_image", "file_id": "file_2", "detail": "auto"},
                        {"type": "input_text", "text": f"see ![it](data:image/gif;base64,{PNG})"},
                    ],
                }
            ],
        ),
        [
            blob("image", "image/jpeg", SIZE),
            {"type": "file", "modality": "image", "file_id": "file_2"},
            text(f"see ![it]([image/gif, {SIZE} bytes])"),
        ],
    ),
}


@pytest.mark.parametrize("name", BINARY)
def test_what_is_binary_is_named_without_its_bytes(name: str, provider: Provider, captured: Captured, on: None) -> None:
    """Images, sound and files are parts with media type and size, wherever they hide; none of their bytes is there."""
    call, parts = BINARY[name]
    call(provider)

    (record,) = captured.contents()
    assert record["gen_ai.input.messages"] == [{"role": "user", "parts": parts}]
    assert PNG[:64] not in repr(record)


@pytest.mark.parametrize(
    ("piece", "part"),
    [
        ({"type": "video_url", "video_url": {"url": "https://a/b.mp4"}}, ("uri", "video")),
        ({"type": "document_url", "document_url": "https://a/b.pdf"}, ("uri", "document")),
        ({"type": "file_url", "file_url": {"url": PNG}}, ("blob", "document")),
        ({"type": "image_url", "image_url": {"url": PNG}}, ("blob", "image")),
    ],
)
def test_other_hosts_spellings_of_media(piece: Attributes, part: tuple[str, str]) -> None:
    """What compatible hosts add is told apart too; some take the bytes in the place of an address."""
    (found,) = _content_parts.parts_of([piece], Texts(None, 1000))

    assert (found["type"], found["modality"]) == part
    assert PNG not in repr(found)


def call(call_id: str | None, name: str, arguments: Any) -> Attributes:
    return {"type": "tool_call", **({} if call_id is None else {"id": call_id}), "name": name, "arguments": arguments}


def result(call_id: str, response: Any) -> Attributes:
    return {"type": "tool_call_response", "id": call_id, "response": response}


TOOLS: dict[str, tuple[Callable[[Provider], Any], list[Attributes]]] = {
    "anthropic": (
        lambda p: claude(p).messages.create(
            model="m",
            max_tokens=1,
            messages=[
                {
                    "role": "assistant",
                    "content": [
                        {"type": "thinking", "thinking": "hm", "signature": "sig" * 99},
                        {"type": "redacted_thinking", "data": PNG},
                        {"type": "tool_use", "id": "t1", "name": "look_up", "input": {"q": "rain", "n": 2.5}},
                        {"type": "server_tool_use", "id": "s1", "name": "web_search", "input": {"query": "rain"}},
                        {
                            "type": "web_search_tool_result",
                            "tool_use_id": "s1",
                            "content": [
                                {"type": "web_search_result", "title": "Rain", "url": "u", "encrypted_content": PNG}
                            ],
                        },
                    ],
                },
                {
                    "role": "user",
                    "content": [
                        {"type": "tool_result", "tool_use_id": "t1", "content": "wet"},
                        {
                            "type": "tool_result",
                            "tool_use_id": "t2",
                            "content": [
                                {"type": "text", "text": "see"},
                                {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}},
                            ],
                        },
                    ],
                },
            ],
        ),
        [
            {
                "role": "assistant",
                "parts": [
                    {"type": "reasoning", "content": "hm"},
                    {"type": "redacted_thinking"},
                    call("t1", "look_up", {"q": "rain", "n": 2.5}),
                    {
                        "type": "server_tool_call",
                        "id": "s1",
                        "name": "web_search",
                        "server_tool_call": {"type": "web_search", "input": {"query": "rain"}},
                    },
                    {
                        "type": "server_tool_call_response",
                        "id": "s1",
                        "server_tool_call_response": {
                            "type": "web_search_tool_result",
                            "content": [{"type": "web_search_result", "title": "Rain", "url": "u"}],
                        },
                    },
                ],
            },
            {
                "role": "user",
                "parts": [result("t1", "wet"), result("t2", [text("see"), blob("image", "image/png", SIZE)])],
            },
        ],
    ),
    "chat": (
        lambda p: gpt(p).chat.completions.create(
            model="m",
            messages=[
                {
                    "role": "assistant",
                    "content": None,
                    "tool_calls": [
                        {"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"a": [1, null]}'}},
                        {"id": "c2", "type": "function", "function": {"name": "g", "arguments": '{"a": '}},
                        {"id": "c3", "type": "custom", "custom": {"name": "h", "input": "free"}},
                    ],
                },
                {"role": "tool", "tool_call_id": "c1", "content": "42"},
            ],
        ),
        [
            {
                "role": "assistant",
                "parts": [call("c1", "f", {"a": [1, None]}), call("c2", "g", '{"a": '), call("c3", "h", "free")],
            },
            {"role": "tool", "parts": [result("c1", "42")]},
        ],
    ),
    "response": (
        lambda p: gpt(p).responses.create(
            model="m",
            input=[
                {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "hi"}]},
                {"type": "reasoning", "id": "r1", "summary": [{"type": "summary_text", "text": "hm"}]},
                {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}"},
                {"type": "function_call_output", "call_id": "c1", "output": "42"},
                {
                    "type": "web_search_call",
                    "id": "w1",
                    "status": "completed",
                    "action": {"type": "search", "query": "x"},
                },
            ],
        ),
        [
            user("hi"),
            {"role": "assistant", "parts": [{"type": "reasoning", "content": "hm"}]},
            {"role": "assistant", "parts": [call("c1", "f", {})]},
            {"role": "tool", "parts": [result("c1", "42")]},
            {
                "role": "assistant",
                "parts": [
                    {
                        "type": "server_tool_call",
                        "id": "w1",
                        "name": "web_search_call",
                        "server_tool_call": {"type": "web_search_call", "action": {"type": "search", "query": "x"}},
                    }
                ],
            },
        ],
    ),
}


@pytest.mark.parametrize("name", TOOLS)
def test_tools_are_called_and_answer(name: str, provider: Provider, captured: Captured, on: None) -> None:
    """Calls have arguments as structure where they are JSON; results, thoughts and the provider's own tools follow."""
    make, messages = TOOLS[name]
    make(provider)

    (record,) = captured.contents()
    assert record["gen_ai.input.messages"] == messages
    assert PNG[:64] not in repr(record)


def test_definitions_of_tools(provider: Provider, captured: Captured, on: None) -> None:
    """Functions have the conventions' form in every spelling; the provider's own tools keep their type and settings."""
    schema = {"type": "object", "properties": {"q": {"type": "string"}}}
    gpt(provider).chat.completions.create(
        model="m",
        messages=[USER],
        tools=[
            {"type": "function", "function": {"name": "f", "description": "d", "parameters": schema, "strict": True}}
        ],
    )
    gpt(provider).responses.create(
        model="m", input="hi", tools=[{"type": "function", "name": "f", "parameters": schema}, {"type": "web_search"}]
    )
    claude(provider).messages.create(
        model="m",
        max_tokens=1,
        messages=[USER],
        tools=[
            {"type": "custom", "name": "f", "input_schema": schema},
            {"type": "web_search_20250305", "name": "web_search", "max_uses": 5},
        ],
    )
    function = {"type": "function", "name": "f", "parameters": schema}

    assert [record["gen_ai.tool.definitions"] for record in captured.contents()] == [
        [{**function, "description": "d"}],
        [function, {"type": "web_search", "name": "web_search"}],
        [function, {"type": "web_search_20250305", "name": "web_search", "max_uses": 5}],
    ]


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


# --- size ------------------------------------------------------------------------------------------------------------


def test_a_long_text_is_cut_after_its_redaction(
    provider: Provider, captured: Captured, on: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A text is redacted whole, so that no half secret stands at the cut; the mark says how much is missing."""
    monkeypatch.setenv("FAREBOX_CONTENT_CHARACTERS_MAX", "10")
    content.redact_with(lambda said: said.replace("secret", "***"))
    asked = "1234567secret" + "x" * 90
    claude(provider).messages.create(model="m", max_tokens=1, messages=[{"role": "user", "content": asked}])
    (record,) = captured.contents()

    assert record["gen_ai.input.messages"] == [user("1234567***… [90 characters more]")]
    assert record["farebox.content.truncated"] is True


def test_a_long_conversation_keeps_its_end(provider: Provider, captured: Captured, on: None) -> None:
    """Of a record that would be too large the tools and the oldest messages are left out, never the answer."""
    messages = [{"role": "user", "content": f"{number} " + "日" * 5000} for number in range(100)]
    tools = [{"name": "t", "input_schema": {"type": "object"}}]
    claude(provider).messages.create(model="m", max_tokens=1, system="s", messages=messages, tools=tools)
    (record,) = captured.contents()

    kept = [message["parts"][0]["content"].split()[0] for message in record["gen_ai.input.messages"]]
    assert kept == [str(number) for number in range(100 - len(kept), 100)]
    assert len(kept) > 10
    assert record["gen_ai.output.messages"]
    assert record["gen_ai.system_instructions"] == [text("s")]
    assert "gen_ai.tool.definitions" not in record
    assert record["farebox.content.truncated"] is True
    assert len(encode_log((1, 1), "e", (1, 1), record)) <= RECORD_BYTES_MAX


WORDS = st.text(max_size=40) | st.just("日" * 9000)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | WORDS,
    lambda inner: st.lists(inner, max_size=6) | st.dictionaries(st.text(max_size=10), inner, max_size=6),
    max_leaves=60,
)
KINDS = st.sampled_from([*_content_parts._PIECES, "x_tool_result", "x_call", "x_call_output", "nonsense"])
PIECES = st.dictionaries(
    st.sampled_from(
        [
            "text",
            "content",
            "source",
            "input",
            "output",
            "arguments",
            "image_url",
            "file",
            "data",
            "id",
            "name",
            "call_id",
            "summary",
            "thinking",
        ]
    ),
    JSON,
    max_size=5,
)
BODIES = st.fixed_dictionaries(
    {},
    optional={
        name: st.lists(st.builds(lambda kind, piece: {**piece, "type": kind}, KINDS, PIECES) | JSON, max_size=8)
        for name in ("messages", "input", "prompt", "system", "tools", "choices", "content", "output", "data")
    },
)


@given(BODIES, BODIES, st.integers(1, 32768))
def test_whatever_comes_is_bounded_and_can_be_read(request: Any, answer: Any, characters_max: int) -> None:
    """Any JSON makes a record within its named size that protobuf's own parser reads, without an error of ours."""
    texts = Texts(None, characters_max)
    attributes = _content._contents(request, answer, texts, RECORD_BYTES_MAX)
    record = encode_log((1, 1), "e", (1, 1), attributes)

    assert len(record) <= RECORD_BYTES_MAX
    parsed = ExportLogsServiceRequest.FromString(Envelope({}, "farebox", "1").around([record]))
    (found,) = parsed.resource_logs[0].scope_logs[0].log_records
    assert {each.key for each in found.attributes} == set(attributes)


def test_a_deep_structure_is_cut_where_readers_would_give_up() -> None:
    """Arguments nested a hundred deep would make the whole request unreadable to protobuf; they are cut before."""
    deep: Any = "x"
    for _ in range(100):
        deep = {"a": deep}
    request = {"messages": [{"role": "assistant", "content": [{"type": "tool_use", "name": "t", "input": deep}]}]}
    texts = Texts(None, 100)
    record = encode_log((1, 1), "e", (1, 1), _content._contents(request, {}, texts, RECORD_BYTES_MAX))

    assert ExportLogsServiceRequest.FromString(Envelope({}, "farebox", "1").around([record]))
    assert texts.cut


def test_large_records_go_in_several_requests(provider: Provider, on: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """A batch is bounded in bytes, not in records alone: collectors refuse large bodies, and that would be for good."""
    with Sink().running() as sink:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", sink.endpoint)
        client = claude(provider)
        messages = [{"role": "user", "content": "日" * 10_000} for _ in range(10)]
        for _ in range(15):
            client.messages.create(model="m", max_tokens=1, messages=messages)
        assert farebox.flush(20)

    assert len(sink.records()) == 15
    sizes = [len(body) for path, body in sink.bodies if path == "/v1/logs"]
    assert max(sizes) <= BATCH_BYTES_MAX + RECORD_BYTES_MAX
    assert len(sizes) > 1


def test_records_that_do_not_fit_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """What waits is bounded in bytes; what is dropped is a metric, as what was sent and refused."""
    monkeypatch.setenv("FAREBOX_QUEUE_BYTES_MAX", "10")
    sender = Sender(OtlpHttp.from_environment, Envelope({}, "farebox", "1"), "records of content")
    reader = InMemoryMetricReader()
    meters = MeterProvider([reader], shutdown_on_exit=False)
    _content.observe_contents(meters.get_meter("test"), sender)
    sender.put(bytes(11))
    found = reader.get_metrics_data()
    meters.shutdown()

    assert found is not None
    (scope,) = found.resource_metrics[0].scope_metrics
    assert {each.name: each.data.data_points[0].value for each in scope.metrics} == {  # type: ignore[union-attr]
        "farebox.contents_sent": 0,
        "farebox.contents_dropped": 1,
        "farebox.contents_refused": 0,
    }


def test_logs_have_an_endpoint_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """The variables of the logs signal win over the general ones, and those of traces do not count."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://traces:1/x")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "team=blue")
    assert OtlpHttp.from_environment("logs")._endpoint == "http://localhost:4318/v1/logs"
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", "http://logs:1/y")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_LOGS_HEADERS", "team=red")

    transport = OtlpHttp.from_environment("logs")
    assert (transport._endpoint, transport._session.headers["team"]) == ("http://logs:1/y", "red")


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
