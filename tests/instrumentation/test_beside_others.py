"""Beside other instrumentations a call can be told to be one: farebox's spans are related to theirs."""

from __future__ import annotations

import inspect

import anthropic
import openai
import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import farebox
from farebox.testing import Captured
from instrumentation.provider import Provider
from instrumentation.test_differential import ASK, CHAT, acting


@pytest.fixture
def theirs() -> tuple[TracerProvider, InMemorySpanExporter]:
    """Another instrumentation's TracerProvider, and what it exports."""
    provider, exporter = TracerProvider(), InMemorySpanExporter()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    return provider, exporter


def ids(span: ReadableSpan) -> tuple[int, int]:
    return span.context.trace_id, span.context.span_id


@pytest.mark.skipif(
    "open_telemetry" not in inspect.signature(anthropic.Anthropic).parameters,
    reason="this release has no spans of its own",
)
@pytest.mark.parametrize("streamed", [False, True])
def test_an_attempt_is_the_child_of_the_sdks_own_span(
    provider: Provider, captured: Captured, theirs: tuple[TracerProvider, InMemorySpanExporter], streamed: bool
) -> None:
    """Anthropic's own span of a call and each of our attempts are parent and child, and name the same response."""
    tracer_provider, exporter = theirs
    client = farebox.wrap(
        anthropic.Anthropic(api_key="k", base_url=provider.base, open_telemetry={"tracer_provider": tracer_provider})
    )
    answer = client.messages.create(**ASK, stream=streamed, **acting("fail:1,529"))
    if streamed:
        list(answer)

    [own] = exporter.get_finished_spans()
    failed, answered = captured.spans()
    assert own.instrumentation_scope is not None
    assert own.instrumentation_scope.name.startswith("com.anthropic.sdk")
    for attempt in (failed, answered):
        assert attempt.parent is not None
        assert (attempt.context.trace_id, attempt.parent.span_id) == ids(own)
    assert (answered.attributes or {})["gen_ai.response.id"] == (own.attributes or {})["gen_ai.response.id"]


def test_attempts_stand_below_whatever_called_the_client(
    provider: Provider, captured: Captured, theirs: tuple[TracerProvider, InMemorySpanExporter]
) -> None:
    """A framework's span around the call, as of an agent or a chain, is the parent; attempts add no other trace."""
    tracer_provider, exporter = theirs
    tracer = tracer_provider.get_tracer("a framework")
    client = farebox.wrap(openai.OpenAI(api_key="k", base_url=f"{provider.base}/v1"))
    with tracer.start_as_current_span("chain"), tracer.start_as_current_span("chat model"):
        client.chat.completions.create(**CHAT)

    model, chain = exporter.get_finished_spans()
    [attempt] = captured.spans()

    assert attempt.parent is not None
    assert (attempt.context.trace_id, attempt.parent.span_id) == ids(model)
    assert len({span.context.trace_id for span in (model, chain, attempt)}) == 1


def test_a_client_wrapped_twice_is_recorded_once(provider: Provider, captured: Captured) -> None:
    """By `wrap` twice, by `instrument` and `wrap`, or in a copy of a wrapped client: one attempt is one span."""
    client = farebox.wrap(farebox.wrap(anthropic.Anthropic(api_key="k", base_url=provider.base), route="easy"))
    client.with_options(timeout=9).messages.create(**ASK)
    farebox.instrument()
    try:
        farebox.wrap(anthropic.Anthropic(api_key="k", base_url=provider.base)).messages.create(**ASK)
    finally:
        farebox.uninstrument()

    assert len(captured.spans()) == 2
