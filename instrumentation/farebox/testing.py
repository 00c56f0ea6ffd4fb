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
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from farebox import _spans
from farebox._recorder import recorder
from farebox._wrap import flush

__all__ = ["Captured", "capture"]


class Captured:
    """The spans that ended while capturing, in the order they were recorded."""

    def __init__(self) -> None:
        self._exporter = InMemorySpanExporter()

    def spans(self) -> list[ReadableSpan]:
        """Return the spans so far, once everything that waits has been recorded."""
        if not flush(timeout_s=10):
            raise TimeoutError("the recorder did not come to an end within 10 s")
        return list(self._exporter.get_finished_spans())

    def attempts(self) -> list[Mapping[str, Any]]:
        """Return the attributes of the spans so far."""
        return [dict(span.attributes or {}) for span in self.spans()]


@contextmanager
def capture() -> Iterator[Captured]:
    """Keep the spans of every wrapped client in memory, for as long as the block runs; nothing is sent."""
    recorder().drain(10)  # what was recorded before is not ours
    captured = Captured()
    former = _spans.capture_with(SimpleSpanProcessor(captured._exporter))
    try:
        yield captured
    finally:
        flush(timeout_s=10)
        _spans.capture_with(former)
