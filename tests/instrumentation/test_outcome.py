"""`outcome` reports what became of a task as a span, and never troubles whoever calls it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from decimal import Decimal

import anthropic
import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import farebox
from farebox import _outcome
from farebox._identity import instance_id
from farebox.testing import Captured
from instrumentation.provider import Provider
from instrumentation.test_differential import ASK


@pytest.fixture(autouse=True)
def _not_told_yet() -> Iterator[None]:
    _outcome._told.clear()
    yield
    _outcome._told.clear()


def test_a_report_is_a_span(captured: Captured) -> None:
    """A report names the task, whether it succeeded, and minutes as exact decimal text."""
    farebox.outcome(task="ticket-4711", success=False, human_minutes=12.1)

    (span,) = captured.spans()
    assert span.name == "farebox.outcome"
    assert dict(span.attributes or {}) == {
        "farebox.task": "ticket-4711",
        "farebox.success": False,
        "farebox.human_minutes": "12.1",
        "farebox.instance": instance_id(),
    }


def test_what_is_not_said_is_not_sent(captured: Captured) -> None:
    """Success and minutes may come in reports of their own."""
    farebox.outcome("a", success=True)
    farebox.outcome("b", human_minutes=Decimal("0.5000001"))

    first, second = captured.attempts()
    assert "farebox.human_minutes" not in first
    assert "farebox.success" not in second
    assert second["farebox.human_minutes"] == "0.5"


def test_the_task_in_force_is_reported(captured: Captured) -> None:
    """Inside `tags(task=...)` the task need not be named again; a name that is cut as a tag is cut here too."""
    with farebox.tags(task="t" * 300):
        farebox.outcome(success=True)

    assert captured.attempts()[0]["farebox.task"] == "t" * 256


def test_a_report_after_a_call_comes_after_it(provider: Provider, captured: Captured) -> None:
    """Calls and reports leave in the order in which they happened."""
    client = farebox.wrap(anthropic.Anthropic(base_url=provider.base, api_key="k"))
    with farebox.tags(task="t"):
        client.messages.create(**ASK)
        farebox.outcome(success=True)

    assert [span.name for span in captured.spans()] == ["chat claude-haiku-4-5", "farebox.outcome"]


def test_a_report_can_go_by_a_provider_of_the_application(captured: Captured) -> None:
    """Where spans go through an application's TracerProvider, reports can go there too."""
    exporter = InMemorySpanExporter()
    own = TracerProvider()
    own.add_span_processor(SimpleSpanProcessor(exporter))
    with own.get_tracer("shop").start_as_current_span("ticket") as ticket:
        farebox.outcome("t", success=True, tracer_provider=own)

    assert captured.spans() == []
    report = next(span for span in exporter.get_finished_spans() if span.name == "farebox.outcome")
    assert report.parent is not None
    assert report.parent.span_id == ticket.get_span_context().span_id
    assert report.instrumentation_scope is not None
    assert report.instrumentation_scope.name == "farebox"


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({"task": "t"}, "it was given neither success nor human_minutes"),
        ({"success": True}, "no task was given, and none is tagged"),
        ({"task": "t", "success": "yes"}, "success='yes'"),
        ({"task": "t", "human_minutes": -1}, "human_minutes=-1"),
        ({"task": "t", "human_minutes": float("nan")}, "human_minutes=nan"),
        ({"task": "t", "human_minutes": "soon"}, "human_minutes='soon'"),
    ],
)
def test_what_makes_no_sense_is_logged_and_not_raised(
    said: dict[str, object], sentence: str, captured: Captured, caplog: pytest.LogCaptureFixture
) -> None:
    """A report that says nothing usable is logged once a cause, and the caller goes on."""
    with caplog.at_level(logging.WARNING, "farebox"):
        farebox.outcome(**said)  # type: ignore[arg-type]
        farebox.outcome(**said)  # type: ignore[arg-type]

    assert captured.spans() == []
    assert caplog.text.count(sentence) == 1


def test_an_argument_that_cannot_be_read_is_swallowed(captured: Captured, swallowed: list[BaseException]) -> None:
    """Not even a number whose text raises reaches the caller."""

    class Awkward:
        def __str__(self) -> str:
            raise RuntimeError("no text")

    farebox.outcome("t", human_minutes=Awkward())  # type: ignore[arg-type]

    assert captured.spans() == []
    assert [type(error) for error in swallowed] == [RuntimeError]
