"""Captured content is bounded, whatever comes, and every record can be delivered and read."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

import farebox
from farebox import _content, _content_parts, content
from farebox._content import RECORD_BYTES_MAX
from farebox._content_texts import Texts
from farebox._encode import Envelope, encode_log
from farebox._otlp_http import OtlpHttp
from farebox._sender import BATCH_BYTES_MAX, Sender
from farebox.testing import Captured
from instrumentation.content_calls import _as_before, claude, on, text, user
from instrumentation.provider import Provider
from instrumentation.test_content import Sink

__all__ = ["_as_before", "on"]


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
