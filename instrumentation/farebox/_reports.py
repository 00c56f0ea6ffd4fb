"""Reports travel as spans: what an application tells of a task, what farebox tells of itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from farebox import _clock

__all__ = ["Report"]

REPORT_BYTES = 512


class Report:
    """Stands in the recorder's queue as an attempt does, and becomes a span there: of no length, when it was made."""

    __slots__ = ("_attributes", "_ids", "_name", "_output", "_parent", "_reported_ns")

    def __init__(self, name: str, attributes: Mapping[str, Any], output: Callable[[Any], object]) -> None:
        """output: as `farebox._spans.output_to` returns it."""
        from opentelemetry.trace import get_current_span

        self._name, self._attributes, self._output = name, attributes, output
        self._reported_ns = _clock.wall_ns()
        caller = get_current_span().get_span_context()
        self._parent = caller if caller.is_valid else None
        noise = _clock.noise(24)
        self._ids = int.from_bytes(noise[8:], "big") or 1, int.from_bytes(noise[:8], "big") or 1

    @property
    def state(self) -> Report:
        """The recorder asks an attempt's client to make its span; a report does it itself."""
        return self

    def size(self) -> int:
        """Bytes it keeps alive while it waits, about."""
        return REPORT_BYTES

    def emit(self, _: object) -> None:
        """Make the span; runs on the recorder thread."""
        from farebox._spans import SpanData

        trace_id, span_id = self._ids
        self._output(
            SpanData(
                trace_id=trace_id if self._parent is None else self._parent.trace_id,
                span_id=span_id,
                parent=self._parent,
                name=self._name,
                started_ns=self._reported_ns,
                ended_ns=self._reported_ns,
                attributes=dict(self._attributes),
            )
        )
