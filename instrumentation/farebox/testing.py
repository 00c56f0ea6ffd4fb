"""Help for tests of code that uses farebox: see the spans instead of sending them.

with farebox.testing.capture() as captured:
    client.messages.create(...)
assert captured.attempts()[0]["farebox.outcome"] == "ok"
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanKind, Status, StatusCode

from farebox import _spans, semconv
from farebox._recorder import recorder
from farebox._spans import SpanData

__all__ = ["Captured", "capture"]


class Captured:
    """The spans that ended while capturing, in the order they were recorded."""

    def __init__(self) -> None:
        self._spans: list[SpanData] = []

    def spans(self) -> list[ReadableSpan]:
        """Return the spans so far, once everything that waits has been recorded."""
        if not recorder().drain(timeout_s=10):
            raise TimeoutError("the recorder did not come to an end within 10 s")
        return [_readable(span) for span in self._spans]

    def attempts(self) -> list[Mapping[str, Any]]:
        """Return the attributes of the spans so far."""
        return [dict(span.attributes or {}) for span in self.spans()]


@contextmanager
def capture() -> Iterator[Captured]:
    """Keep the spans of every wrapped client in memory, for as long as the block runs; nothing is sent."""
    recorder().drain(timeout_s=10)  # what was recorded before is not ours
    captured = Captured()
    former = _spans.capture_with(captured._spans.append)
    try:
        yield captured
    finally:
        recorder().drain(timeout_s=10)
        _spans.capture_with(former)


def _readable(span: SpanData) -> ReadableSpan:
    return ReadableSpan(
        name=span.name,
        context=span.context,
        parent=span.parent,
        attributes=span.attributes,
        kind=SpanKind.CLIENT,
        status=Status(StatusCode.UNSET if span.error is None else StatusCode.ERROR, span.error),
        links=() if span.link is None else (Link(span.link),),
        start_time=span.started_ns,
        end_time=span.ended_ns,
        instrumentation_scope=InstrumentationScope(semconv.SCOPE),
    )
