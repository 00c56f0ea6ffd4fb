"""Metrics: duration once a call, tokens an attempt, and farebox's own health."""

from __future__ import annotations

import logging
from typing import Any

import anthropic
import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_ON, TraceIdRatioBased

import farebox
from farebox._metrics import NEXT_ATTEMPT_S_MAX, CallMetrics, Health, observe_health
from instrumentation.provider import Provider
from instrumentation.test_differential import ASK


class Metered:
    """CallMetrics on a meter of its own, and what it has measured."""

    def __init__(self) -> None:
        self._reader = InMemoryMetricReader()
        self.meter = MeterProvider([self._reader]).get_meter("test")
        self.calls = CallMetrics(self.meter)

    def points(self) -> dict[str, list[Any]]:
        data = self._reader.get_metrics_data()
        if data is None:
            return {}
        scopes = data.resource_metrics[0].scope_metrics
        return {metric.name: list(metric.data.data_points) for scope in scopes for metric in scope.metrics}

    def durations(self) -> list[tuple[int, float]]:
        return [(point.count, point.sum) for point in self.points().get("gen_ai.client.operation.duration", [])]


def attempt(call: str, outcome: str = "ok", **more: Any) -> dict[str, Any]:
    return {"farebox.call_id": call, "farebox.outcome": outcome, "gen_ai.operation.name": "chat", **more}


def test_a_retried_call_has_one_duration_from_its_first_attempt_to_its_last() -> None:
    """Two failed attempts and a good one are one call, its pauses included."""
    metered = Metered()
    metered.calls.note(attempt("a", "rate_limited"), 0.0, 1.0)
    metered.calls.note(attempt("a", "overloaded"), 2.0, 3.0)
    assert metered.durations() == []
    metered.calls.note(attempt("a"), 4.0, 5.5)

    assert metered.durations() == [(1, 5.5)]


def test_a_call_that_is_not_retried_any_more_is_closed() -> None:
    """When no further attempt comes, the failed call counts with its error."""
    metered = Metered()
    metered.calls.note(attempt("a", "rate_limited", **{"error.type": "rate_limit_error"}), 0.0, 1.0)
    metered.calls.sweep(NEXT_ATTEMPT_S_MAX)

    (point,) = metered.points()["gen_ai.client.operation.duration"]
    assert (point.count, point.sum) == (1, 1.0)
    assert point.attributes["error.type"] == "rate_limit_error"


def test_only_reported_tokens_are_measured() -> None:
    """Partial and missing usage are no measurements; input and output are apart."""
    metered = Metered()
    tokens = {"gen_ai.usage.input_tokens": 10, "gen_ai.usage.output_tokens": 3}
    metered.calls.note(attempt("a", **tokens, **{"farebox.usage.state": "reported"}), 0, 1)
    metered.calls.note(attempt("b", **tokens, **{"farebox.usage.state": "partial"}), 0, 1)

    points = metered.points()["gen_ai.client.token.usage"]
    assert {point.attributes["gen_ai.token.type"]: point.sum for point in points} == {"input": 10, "output": 3}


def test_health_is_observable() -> None:
    """Every count of farebox's health is a metric of its own."""
    metered = Metered()
    observe_health(metered.meter, lambda: Health(recorded=5, dropped=1, spans_waiting=2))

    points = metered.points()

    assert points["farebox.recorded"][0].value == 5
    assert points["farebox.dropped"][0].value == 1
    assert points["farebox.spans_waiting"][0].value == 2


def test_a_provider_of_ones_own_gets_the_spans(provider: Provider) -> None:
    """Spans go to the tracer_provider that was given, attempts of a call in one trace, and nothing to farebox's own."""
    exporter = InMemorySpanExporter()
    own = TracerProvider(sampler=ALWAYS_ON)
    own.add_span_processor(SimpleSpanProcessor(exporter))
    client = farebox.wrap(anthropic.Anthropic(api_key="k", base_url=provider.base), tracer_provider=own)
    with own.get_tracer("app").start_as_current_span("work"):
        client.messages.create(**ASK)
    farebox.flush(5)
    client.close()

    spans = {span.name: span for span in exporter.get_finished_spans()}
    call, work = spans["chat claude-haiku-4-5"], spans["work"]
    assert call.parent.span_id == work.context.span_id


@pytest.mark.parametrize(("sampler", "warned"), [(ALWAYS_ON, False), (TraceIdRatioBased(0.1), True)])
def test_a_sampling_provider_is_warned_about(
    sampler: Any, warned: bool, provider: Provider, caplog: pytest.LogCaptureFixture
) -> None:
    """A tracer_provider that can drop spans is a hole in the ledger, and `wrap()` says so."""
    with caplog.at_level(logging.WARNING, "farebox"):
        farebox.wrap(anthropic.Anthropic(api_key="k"), tracer_provider=TracerProvider(sampler=sampler)).close()

    assert ("missing from the ledger" in caplog.text) is warned
