"""Help for tests of code that uses farebox: see the spans instead of sending them.

with farebox.testing.capture() as captured:
    client.messages.create(...)
assert captured.attempts()[0]["farebox.outcome"] == "ok"
assert captured.contents() == []  # unless FAREBOX_CAPTURE_CONTENT

with fixed_clock() as clock, counted_ids(), capture() as captured:  # the same spans at every run
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanKind, Status, StatusCode

from farebox import _clock, _content, _identity, _spans, semconv
from farebox._content import ContentRecord
from farebox._recorder import recorder
from farebox._spans import SpanData

__all__ = ["Captured", "FixedClock", "capture", "counted_ids", "fixed_clock"]

START = datetime(2026, 1, 1, tzinfo=UTC)
INSTANCE = f"{0:016x}"


class Captured:
    """The spans that ended while capturing, in the order they were recorded."""

    def __init__(self) -> None:
        self._spans: list[SpanData] = []
        self._contents: list[ContentRecord] = []

    def spans(self) -> list[ReadableSpan]:
        """Return the spans so far, once everything that waits has been recorded."""
        if not recorder().drain(timeout_s=10):
            raise TimeoutError("the recorder did not come to an end within 10 s")
        return [_readable(span) for span in self._spans]

    def attempts(self) -> list[Mapping[str, Any]]:
        """Return the attributes of the spans so far."""
        return [dict(span.attributes or {}) for span in self.spans()]

    def contents(self) -> list[Mapping[str, Any]]:
        """Return the attributes of the records of content so far; there are none unless content is captured."""
        self.spans()
        return [dict(record.attributes) for record in self._contents]


@contextmanager
def capture() -> Iterator[Captured]:
    """Keep the spans of every wrapped client in memory, for as long as the block runs; nothing is sent."""
    recorder().drain(timeout_s=10)  # what was recorded before is not ours
    captured = Captured()
    former = _spans.capture_with(captured._spans.append)
    former_contents = _content.capture_content_with(captured._contents.append)
    try:
        yield captured
    finally:
        recorder().drain(timeout_s=10)
        _spans.capture_with(former)
        _content.capture_content_with(former_contents)


class FixedClock:
    """Stands still until it is told to go on; for spans alone, not for the SDKs."""

    def __init__(self, at: datetime) -> None:
        self._start_ns = round(at.timestamp() * 1_000_000) * 1000
        self._passed_ns = 0

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self._passed_ns += round(seconds * 1_000_000_000)

    def wall_ns(self) -> int:
        return self._start_ns + self._passed_ns

    def ticks_s(self) -> float:
        return self._passed_ns / 1_000_000_000


@contextmanager
def fixed_clock(at: datetime = START) -> Iterator[FixedClock]:
    """Give spans the times of a clock that stands still at a moment, for as long as the block runs."""
    clock = FixedClock(at)
    former = _clock.wall_ns, _clock.ticks_s
    _clock.wall_ns, _clock.ticks_s = clock.wall_ns, clock.ticks_s
    try:
        yield clock
    finally:
        recorder().drain(timeout_s=10)
        _clock.wall_ns, _clock.ticks_s = former


@contextmanager
def counted_ids() -> Iterator[None]:
    """Number span ids and trace ids from 1 and `farebox.seq` from 0, in the process `0000000000000000`."""
    recorder().drain(timeout_s=10)
    numbers = itertools.count(1)

    def counted(size: int) -> bytes:
        number = next(numbers)
        return number.to_bytes(8, "big") + number.to_bytes(size - 8, "big")

    former = _clock.noise, recorder()._numbers, _identity._instance
    _clock.noise, recorder()._numbers, _identity._instance = counted, itertools.count(), INSTANCE
    try:
        yield
    finally:
        recorder().drain(timeout_s=10)
        _clock.noise, recorder()._numbers, _identity._instance = former


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
