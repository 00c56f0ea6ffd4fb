"""OpenTelemetry metrics: the conventions' GenAI client metrics, and farebox's own health.

They go to the application's global MeterProvider, and nowhere when it has none. All is recorded on the recorder thread.
Source: opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-metrics, read 2026-11-20.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from opentelemetry.metrics import CallbackOptions, Meter, Observation

from farebox import semconv as name
from farebox._guard import swallowed_errors

__all__ = ["CallMetrics", "Health", "observe_health"]

# The SDKs retry these; whether they will is known only when the next attempt comes, or does not.
_RETRIED = frozenset({"rate_limited", "overloaded", "server_error", "timeout", "connection_error"})
# Longer than the longest pause of the SDKs between two attempts (60 s of Retry-After), in seconds.
NEXT_ATTEMPT_S_MAX = 75.0
CALLS_MAX = 10_000

_ATTRIBUTES = (name.OPERATION, name.PROVIDER_NAME, name.REQUEST_MODEL, name.RESPONSE_MODEL, name.SERVER_ADDRESS)
_TOKEN_TYPES = {"input": name.INPUT_TOKENS, "output": name.OUTPUT_TOKENS}
_TOKEN_BUCKETS = [1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304, 16777216, 67108864]
_SECOND_BUCKETS = [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92]


@dataclass
class _Call:
    """A call whose last attempt so far may be retried. Times are seconds of one monotonic clock."""

    started_at: float
    ended_at: float
    attributes: Mapping[str, Any]


class CallMetrics:
    """Records duration once a call, tokens and time to first chunk once an attempt that has them."""

    def __init__(self, meter: Meter) -> None:
        self._open: dict[str, _Call] = {}
        self._duration = meter.create_histogram(
            "gen_ai.client.operation.duration",
            unit="s",
            description="Time of a call from its first attempt's start to its last attempt's end.",
            explicit_bucket_boundaries_advisory=_SECOND_BUCKETS,
        )
        self._tokens = meter.create_histogram(
            "gen_ai.client.token.usage",
            unit="{token}",
            description="Tokens of an attempt, cache reads and writes included in input.",
            explicit_bucket_boundaries_advisory=_TOKEN_BUCKETS,
        )
        self._first_chunk = meter.create_histogram(
            "gen_ai.client.operation.time_to_first_chunk",
            unit="s",
            description="Time of a stream from its request to its first token.",
            explicit_bucket_boundaries_advisory=_SECOND_BUCKETS,
        )

    def note(self, attributes: Mapping[str, Any], started_at: float, ended_at: float) -> None:
        """Note an ended attempt, described by its span's attributes."""
        call_id = attributes[name.CALL_ID]
        earlier = self._open.pop(call_id, None)
        call = _Call(earlier.started_at if earlier else started_at, ended_at, attributes)
        labels = _labels(attributes)
        if attributes[name.OUTCOME] in _RETRIED and len(self._open) < CALLS_MAX:
            self._open[call_id] = call
        else:
            self._close(call, labels)
        self._measure(attributes, labels)
        self.sweep(ended_at - NEXT_ATTEMPT_S_MAX)

    def sweep(self, ended_before: float) -> None:
        """Close the calls whose last attempt ended before this moment: no retry came."""
        for call_id in [each for each, call in self._open.items() if call.ended_at < ended_before]:
            call = self._open.pop(call_id)
            self._close(call, _labels(call.attributes))

    def _close(self, call: _Call, labels: Mapping[str, Any]) -> None:
        failed = {name.ERROR_TYPE: call.attributes[name.ERROR_TYPE]} if name.ERROR_TYPE in call.attributes else {}
        self._duration.record(call.ended_at - call.started_at, {**labels, **failed})

    def _measure(self, attributes: Mapping[str, Any], labels: Mapping[str, Any]) -> None:
        if attributes.get(name.USAGE_STATE) == "reported":
            for kind, attribute in _TOKEN_TYPES.items():
                if attribute in attributes:
                    self._tokens.record(attributes[attribute], {**labels, "gen_ai.token.type": kind})
        if name.TIME_TO_FIRST_CHUNK in attributes:
            self._first_chunk.record(attributes[name.TIME_TO_FIRST_CHUNK], labels)


def _labels(attributes: Mapping[str, Any]) -> dict[str, Any]:
    return {key: attributes[key] for key in _ATTRIBUTES if key in attributes}


@dataclass(frozen=True, slots=True)
class Health:
    """Counts of farebox in this process: attempts recorded and dropped; spans sent, dropped, refused, waiting, and of
    these written down; tags that were left out, cut or replaced."""

    recorded: int = 0
    dropped: int = 0
    waiting: int = 0
    spans_sent: int = 0
    spans_dropped: int = 0
    spans_refused: int = 0
    spans_waiting: int = 0
    spans_spooled: int = 0
    tags_limited: int = 0


def observe_health(meter: Meter, read: Callable[[], Health]) -> None:
    """Publish farebox's own health as observable metrics `farebox.*`."""

    def observing(field: str) -> Callable[[CallbackOptions], Iterable[Observation]]:
        return lambda _: [Observation(getattr(read(), field))]

    for field, sentence in (
        ("recorded", "Attempts that became spans."),
        ("dropped", "Attempts dropped because the recorder's queue was full."),
        ("spans_sent", "Spans the collector has taken."),
        ("spans_dropped", "Spans dropped because the sender's queue was full."),
        ("spans_refused", "Spans the collector refused for good."),
        ("tags_limited", "Tags left out, cut, or replaced for having too many values."),
    ):
        meter.create_observable_counter(f"farebox.{field}", [observing(field)], unit="1", description=sentence)
    for field, sentence in (
        ("waiting", "Attempts waiting for the recorder."),
        ("spans_waiting", "Spans waiting for the collector."),
        ("spans_spooled", "Of these, spans written down in FAREBOX_SPOOL_DIR."),
    ):
        meter.create_observable_gauge(f"farebox.{field}", [observing(field)], unit="1", description=sentence)
    meter.create_observable_counter(
        "farebox.swallowed_errors",
        [lambda _: [Observation(count, {"cause": cause}) for cause, count in swallowed_errors().items()]],
        unit="1",
        description="Errors of farebox itself that the application did not see.",
    )
