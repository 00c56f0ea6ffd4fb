"""Make the spans of attempts, never sampled, and send them; or hand them to a TracerProvider that the user brought.

Farebox's own spans are encoded as they are made, without the SDK's tracer: the environment's samplers and span limits
do not apply, since a sampled ledger is a wrong ledger, and what waits for the collector is bytes that can be counted.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from opentelemetry import metrics, trace
from opentelemetry.context import Context
from opentelemetry.sdk.resources import Resource
from opentelemetry.trace import NonRecordingSpan, SpanContext, SpanKind, Status, StatusCode, TraceFlags

from farebox import semconv
from farebox._attempt import Attempt
from farebox._billed import derived_id
from farebox._describe import Description, describe, describe_read
from farebox._encode import Envelope, encode_span
from farebox._health import HealthReports
from farebox._metrics import CallMetrics, Health, observe_health
from farebox._otlp_environment import connector
from farebox._recorder import recorder
from farebox._reports import Report
from farebox._sender import Sender
from farebox._spool import Spool
from farebox._tag_limits import limited
from farebox.settings import setting

if TYPE_CHECKING:
    from farebox._content import ContentOutput

__all__ = [
    "Capture",
    "Output",
    "SpanData",
    "capture_with",
    "emit_attempt",
    "farebox_sender",
    "health",
    "note_call",
    "output_to",
    "report_health",
]

_log = logging.getLogger("farebox")

WAIT_S = 0.005


@dataclass(slots=True)  # frozen would take three times as long to make
class SpanData:
    """A finished span of kind CLIENT. Ids are ints; times are ns since 1970 UTC; error None: no error.

    derived: its ids are the same whoever makes it, so they hold with a user's provider too. link: the span that it is
    linked to.
    """

    trace_id: int
    span_id: int
    parent: SpanContext | None
    name: str
    started_ns: int
    ended_ns: int
    attributes: dict[str, Any]
    error: str | None = None
    derived: bool = False
    link: SpanContext | None = None

    @property
    def context(self) -> SpanContext:
        return SpanContext(self.trace_id, self.span_id, is_remote=False, trace_flags=TraceFlags(TraceFlags.SAMPLED))


# Takes a span; returns the context that a user's provider gave it, None where it keeps its own.
Output = Callable[[SpanData], SpanContext | None]
Capture = Callable[[SpanData], None]

_lock = threading.Lock()
_sender: Sender | None = None
_disabled = False
_capture: Capture | None = None
_call_metrics: CallMetrics | None = None
_health_reports: HealthReports | None = None
_last_output: Output | None = None


def output_to(provider: trace.TracerProvider | None) -> Output:
    """Return where spans go: to the collector that the OTEL_EXPORTER_OTLP_* variables name, or to a user's provider."""
    _start()
    if provider is None:
        return _send
    tracer = provider.get_tracer(semconv.SCOPE, version("farebox"))
    usual = getattr(tracer, "id_generator", None)  # of the SDK's tracers, and for our scope alone
    if usual is not None and not isinstance(usual, _Ids):
        tracer.id_generator = _Ids(usual)  # type: ignore[attr-defined]
    return lambda span: _through(tracer, span)


def farebox_sender() -> Sender | None:
    """Return what sends farebox's own spans, None when no client was wrapped yet or spans are captured."""
    return None if _capture is not None else _sender


def capture_with(capture: Capture | None) -> Capture | None:
    """Let a function take the spans from here on, None to send them again; returns the one before."""
    global _capture
    former, _capture = _capture, capture
    return former


def health() -> Health:
    """Return the counts of this process."""
    attempts, sender = recorder(), _sender
    return Health(
        recorded=attempts.recorded,
        dropped=attempts.dropped,
        waiting=attempts.waiting,
        spans_sent=sender.sent if sender else 0,
        spans_dropped=sender.dropped if sender else 0,
        spans_refused=sender.refused if sender else 0,
        spans_waiting=sender.waiting if sender else 0,
        spans_spooled=sender.spooled if sender else 0,
        tags_limited=limited(),
    )


def emit_attempt(output: Output, attempt: Attempt, content: ContentOutput | None = None) -> None:
    """Describe an ended attempt, and put out its span and one for each thing billed beside it."""
    reads = attempt.endpoint.read
    described = describe_read(attempt) if reads else describe(attempt)
    span = SpanData(
        trace_id=attempt.trace_id,
        span_id=attempt.span_id,
        parent=attempt.parent,
        name=described.name,
        started_ns=attempt.started_ns,
        ended_ns=attempt.started_ns + round((attempt.ended_at - attempt.started_at) * 1_000_000_000),
        attributes=described.attributes,
        error=described.error,
        derived=reads,  # its results, some of which went before it, are linked to it
    )
    context = output(span) if described.name else None
    if not reads:
        note_call(described.attributes, attempt.started_at, attempt.ended_at)
        if content is not None:
            content(attempt, context or span.context, described.attributes)
    for each in described.apart:
        _emit_apart(output, each, context or span.context, attempt.started_ns)
    report_health(output)


def report_health(output: Output | None = None, *, leaving: bool = False) -> None:
    """Put out a report of farebox's own health where one is due, where the last attempt's span went if not told."""
    global _last_output
    _last_output = output = output or _last_output
    if _health_reports is None or output is None or _capture is not None:
        return
    attributes = _health_reports.due(leaving=leaving)
    if attributes is not None:
        Report(semconv.HEALTH_SPAN, attributes, output).emit(None)


def note_call(attributes: dict[str, Any], started_at: float, ended_at: float) -> None:
    """Count an attempt in the metrics; times are seconds of one monotonic clock."""
    if _call_metrics is not None:
        _call_metrics.note(attributes, started_at, ended_at)


def _emit_apart(output: Output, described: Description, origin: SpanContext, started_ns: int) -> None:
    """Put out the span of a thing billed beside an attempt, under ids that any reader derives alike.

    It is the attempt's child; or, where its trace is its own too, linked to the call that read of it.
    """
    own = bool(described.trace)
    while own and _sender is not None and _sender.behind and _capture is None:
        time.sleep(WAIT_S)
    begun_ns = started_ns if described.started_ns is None else described.started_ns
    span = SpanData(
        trace_id=derived_id(described.trace, 16) if own else origin.trace_id,
        span_id=derived_id(described.identity, 8),
        parent=None if own else origin,
        name=described.name,
        started_ns=begun_ns,
        ended_ns=begun_ns if described.ended_ns is None else described.ended_ns,
        attributes=described.attributes,
        error=described.error,
        derived=True,
        link=origin if own else None,
    )
    context = output(span)
    for each in described.apart:
        _emit_apart(output, each, context or span.context, begun_ns)


def _start() -> None:
    """Make the sender and the metrics, once a process."""
    global _sender, _disabled, _call_metrics, _health_reports
    with _lock:
        if _sender is not None:
            return
        _disabled = os.environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true"
        if _disabled:
            _log.warning("OTEL_SDK_DISABLED is true: farebox records nothing; unset it to record")
        release = version("farebox")
        folder = setting("spool_dir")
        _sender = Sender(
            connector(),
            Envelope(Resource.create().attributes, semconv.SCOPE, release),
            spool=Spool(Path(folder), setting("spool_bytes_max")) if folder else None,
        )
        _health_reports = HealthReports(health)
        meter = metrics.get_meter(semconv.SCOPE, release)
        _call_metrics = CallMetrics(meter)
        observe_health(meter, health)


def _send(span: SpanData) -> None:
    if _capture is not None:
        _capture(span)
    elif _sender is not None and not _disabled:
        parent = span.parent
        _sender.put(
            encode_span(
                (span.trace_id, span.span_id, parent.span_id if parent is not None else 0),
                span.name,
                (span.started_ns, span.ended_ns),
                span.attributes,
                remote=parent is not None and parent.is_remote,
                error=span.error,
                link=None if span.link is None else (span.link.trace_id, span.link.span_id),
            )
        )


def _through(tracer: trace.Tracer, span: SpanData) -> SpanContext:
    """Make the span with a user's tracer, as a child of the same parent; its ids are the tracer's unless derived."""
    ids = getattr(tracer, "id_generator", None)
    if isinstance(ids, _Ids):
        ids.next = (span.trace_id, span.span_id) if span.derived else None
    made = tracer.start_span(
        span.name,
        context=_context(span.parent),
        kind=SpanKind.CLIENT,
        attributes=span.attributes,
        links=() if span.link is None else (trace.Link(span.link),),
        start_time=span.started_ns,
        record_exception=False,
        set_status_on_exception=False,
    )
    if span.error is not None:
        made.set_status(Status(StatusCode.ERROR, span.error))
    made.end(span.ended_ns)
    return made.get_span_context()


class _Ids:
    """Stands before the id generator of a user's tracer and gives `next`, trace id and span id, where it is set."""

    def __init__(self, usual: Any) -> None:
        self._usual = usual
        self.next: tuple[int, int] | None = None

    def generate_trace_id(self) -> int:
        return self.next[0] if self.next else int(self._usual.generate_trace_id())

    def generate_span_id(self) -> int:
        return self.next[1] if self.next else int(self._usual.generate_span_id())

    def is_trace_id_random(self) -> bool:
        return self.next is None and bool(getattr(self._usual, "is_trace_id_random", bool)())


def _context(parent: SpanContext | None) -> Context:
    if parent is None:
        return Context()
    sampled = SpanContext(
        parent.trace_id, parent.span_id, parent.is_remote, TraceFlags(TraceFlags.SAMPLED), parent.trace_state
    )
    return trace.set_span_in_context(NonRecordingSpan(sampled), Context())


def _forget() -> None:
    """In a forked child the sender's thread is gone and its queue belongs to the parent."""
    global _lock
    _lock = threading.Lock()
    if _sender is not None:
        _sender.after_fork()


os.register_at_fork(after_in_child=_forget)
