"""Make OTel spans of attempts, with farebox's own always-on TracerProvider unless the user brought one.

The environment's samplers and span limits do not apply: a sampled ledger is a wrong ledger.
"""

from __future__ import annotations

import hashlib
import logging
import os
import threading
from importlib.metadata import version

from opentelemetry import metrics, trace
from opentelemetry.context import Context
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanLimits, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.trace import NonRecordingSpan, SpanContext, SpanKind, Status, StatusCode, TraceFlags

from farebox import semconv
from farebox._attempt import Attempt
from farebox._describe import Description, describe
from farebox._metrics import CallMetrics, Health, observe_health
from farebox._otlp_http import OtlpHttp  # here, on the caller's thread: a fork must not meet a half import
from farebox._recorder import recorder
from farebox._sender import Sender

__all__ = ["capture_with", "emit_attempt", "farebox_provider", "farebox_sender", "health", "tracer_of"]

_log = logging.getLogger("farebox")


class PresetIds(IdGenerator):
    """Gives the next span the ids its attempt already has; spans are made on one thread."""

    def __init__(self) -> None:
        self.trace_id = 0
        self.span_id = 0

    def generate_trace_id(self) -> int:
        return self.trace_id

    def generate_span_id(self) -> int:
        return self.span_id


_ids = PresetIds()
_lock = threading.Lock()
_provider: TracerProvider | None = None
_sender: Sender | None = None
_capture: SpanProcessor | None = None
_call_metrics: CallMetrics | None = None


class _Onward(SpanProcessor):
    """Hands each span to the sender, or to whatever captures spans in a test."""

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Nothing to do: farebox's spans start and end at once."""

    def on_end(self, span: ReadableSpan) -> None:
        target = _capture or _sender
        if target is not None:
            target.on_end(span)


def farebox_provider() -> TracerProvider:
    """Return farebox's own TracerProvider; it sends by OTLP/HTTP as the OTEL_EXPORTER_OTLP_* variables say."""
    global _provider, _sender, _call_metrics
    with _lock:
        if _provider is None:
            if os.environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
                _log.warning("OTEL_SDK_DISABLED is true: farebox records nothing; unset it to record")
            _sender = Sender(OtlpHttp.from_environment)
            _provider = TracerProvider(
                sampler=ALWAYS_ON,
                id_generator=_ids,
                resource=Resource.create(),
                span_limits=_unlimited(),
                shutdown_on_exit=False,
            )
            _provider.add_span_processor(_Onward())
            meter = metrics.get_meter(semconv.SCOPE, version("farebox"))
            _call_metrics = CallMetrics(meter)
            observe_health(meter, health)
        return _provider


def farebox_sender() -> Sender | None:
    """Return what sends farebox's own spans, None when no client was wrapped yet or spans are captured."""
    return None if _capture is not None else _sender


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
    )


def capture_with(processor: SpanProcessor | None) -> SpanProcessor | None:
    """Let a processor take the spans from here on, None to send them again; returns the one before."""
    global _capture
    farebox_provider()
    former, _capture = _capture, processor
    return former


def tracer_of(provider: trace.TracerProvider) -> trace.Tracer:
    """Return the tracer with farebox's scope."""
    return provider.get_tracer(semconv.SCOPE, version("farebox"))


def emit_attempt(tracer: trace.Tracer, attempt: Attempt) -> None:
    """Describe an ended attempt and make its span; runs on the recorder thread alone."""
    described = describe(attempt)
    _ids.trace_id, _ids.span_id = attempt.trace_id, attempt.span_id
    span = tracer.start_span(
        described.name,
        context=_context(attempt.parent),
        kind=SpanKind.CLIENT,
        attributes=described.attributes,
        start_time=attempt.started_ns,
        record_exception=False,
        set_status_on_exception=False,
    )
    if described.error is not None:
        span.set_status(Status(StatusCode.ERROR, described.error))
    span.end(attempt.started_ns + round((attempt.ended_at - attempt.started_at) * 1_000_000_000))
    if _call_metrics is not None:
        _call_metrics.note(described.attributes, attempt.started_at, attempt.ended_at)
    for each in described.apart:
        _emit_apart(tracer, span, attempt.started_ns, each)


def _emit_apart(tracer: trace.Tracer, parent: trace.Span, started_ns: int, described: Description) -> None:
    """Make the span of a thing billed beside an attempt: its child, under an id that any reader derives alike."""
    _ids.span_id = int.from_bytes(hashlib.blake2b(described.identity.encode(), digest_size=8).digest(), "big") or 1
    tracer.start_span(
        described.name,
        context=trace.set_span_in_context(parent, Context()),
        kind=SpanKind.CLIENT,
        attributes=described.attributes,
        start_time=started_ns,
    ).end(started_ns)


def _context(parent: SpanContext | None) -> Context:
    if parent is None:
        return Context()
    sampled = SpanContext(
        parent.trace_id, parent.span_id, parent.is_remote, TraceFlags(TraceFlags.SAMPLED), parent.trace_state
    )
    return trace.set_span_in_context(NonRecordingSpan(sampled), Context())


def _unlimited() -> SpanLimits:
    none = SpanLimits.UNSET
    return SpanLimits(
        max_attributes=none,
        max_events=none,
        max_links=none,
        max_span_attributes=none,
        max_event_attributes=none,
        max_link_attributes=none,
        max_attribute_length=none,
        max_span_attribute_length=none,
    )


def _forget() -> None:
    """In a forked child the sender's thread is gone and its queue belongs to the parent."""
    global _lock
    _lock = threading.Lock()
    if _sender is not None:
        _sender.after_fork()


os.register_at_fork(after_in_child=_forget)
