"""Export the content of calls where that is switched on: one OpenTelemetry log record an attempt, never in its span.

Records go the way of farebox's own spans: encoded by the recorder, kept by a sender until the collector has taken
them, bounded in bytes. With a user's `tracer_provider` they go to the application's global LoggerProvider instead. A
redaction that fails, or any error here, keeps the content of that call inside the process.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from opentelemetry import metrics, trace
from opentelemetry.context import Context
from opentelemetry.metrics import CallbackOptions, Observation
from opentelemetry.sdk.resources import Resource
from opentelemetry.trace import NonRecordingSpan, SpanContext

from farebox import _clock, content, semconv
from farebox._attempt import Attempt
from farebox._content_messages import (
    Message,
    asked_last_first,
    output_messages,
    system_instructions,
    tool_definitions,
)
from farebox._content_stream import whole_answer
from farebox._content_texts import RedactionError, Texts
from farebox._encode import Envelope, encode_log, encoded_size
from farebox._guard import swallow
from farebox._otlp_environment import connector
from farebox._read import is_stream, read_body, read_events, read_request
from farebox._reading import mapping
from farebox._sender import Sender
from farebox.settings import setting

__all__ = [
    "RECORD_BYTES_MAX",
    "ContentOutput",
    "ContentRecord",
    "capture_content_with",
    "content_output",
    "content_sender",
    "observe_contents",
]

# Of one encoded record; what does not fit is left out: the oldest messages first, and the tools before them.
RECORD_BYTES_MAX = 256 * 1024
# Room for ids, times and the keys of attributes; for the lengths around each message, part and attribute.
_FRAME_BYTES = 1024
_MEMBER_BYTES = 16

_COPIED = ("gen_ai.", "server.", semconv.ERROR_TYPE)
_ALSO_COPIED = frozenset(
    {
        semconv.ROUTE,
        semconv.TENANT,
        semconv.USER,
        semconv.TASK,
        semconv.PROMPT_VERSION,
        semconv.CALL_ID,
        semconv.ATTEMPT,
    }
)


@dataclass(frozen=True, slots=True)
class ContentRecord:
    """The content of one attempt, and the ids of the attempt's span. Times are ns since 1970 UTC."""

    trace_id: int
    span_id: int
    ended_ns: int
    observed_ns: int
    attributes: Mapping[str, Any]


# Takes an ended attempt, the context of its span and the span's attributes.
ContentOutput = Callable[[Attempt, SpanContext, Mapping[str, Any]], None]

_lock = threading.Lock()
_sender: Sender | None = None
_capture: Callable[[ContentRecord], None] | None = None


def content_output(provider: trace.TracerProvider | None) -> ContentOutput:
    """Return what exports the content of attempts, by farebox itself or through the application's LoggerProvider.

    Raises:
        SettingError: a setting of content is not allowed.
    """
    characters_max: int = setting("content_characters_max")
    setting("redact")
    send: Callable[[ContentRecord], None] = _log
    if provider is None:
        _own_sender()  # now: at exit, when a short script's record comes, no resource can be made any more
        send = _send

    def put(attempt: Attempt, span: SpanContext, attributes: Mapping[str, Any]) -> None:
        try:
            send(_record(attempt, span, attributes, characters_max))
        except RedactionError as error:
            swallow("redacting content", error)
        except Exception as error:  # noqa: BLE001
            failure = RedactionError(f"no content was exported ({type(error).__name__})")  # its words may quote some
            swallow("capturing content", failure.with_traceback(error.__traceback__))

    return put


def content_sender() -> Sender | None:
    """Return what sends farebox's own records of content, None when there was none yet or they are captured."""
    return None if _capture is not None else _sender


def capture_content_with(capture: Callable[[ContentRecord], None] | None) -> Callable[[ContentRecord], None] | None:
    """Let a function take the records from here on, None to send them again; returns the one before."""
    global _capture
    former, _capture = _capture, capture
    return former


def _record(attempt: Attempt, span: SpanContext, attributes: Mapping[str, Any], characters_max: int) -> ContentRecord:
    texts = Texts(_redaction(), characters_max)
    made = {key: value for key, value in attributes.items() if key.startswith(_COPIED) or key in _ALSO_COPIED}
    made |= _contents(read_request(attempt), _answer(attempt), texts, RECORD_BYTES_MAX - encoded_size(made))
    return ContentRecord(
        trace_id=span.trace_id,
        span_id=span.span_id,
        ended_ns=attempt.started_ns + round((attempt.ended_at - attempt.started_at) * 1_000_000_000),
        observed_ns=_clock.wall_ns(),
        attributes=made,
    )


def _redaction() -> content.Redaction | None:
    try:
        return content.current_redaction()
    except Exception as error:  # noqa: BLE001
        raise RedactionError(f"{setting('redact')} cannot be used ({type(error).__name__})") from None


def _answer(attempt: Attempt) -> Mapping[str, Any]:
    """Return the body of the answer, of a stream what its events add up to; nothing of one that was refused."""
    if attempt.status is None or attempt.status >= 400:
        return {}
    if is_stream(attempt):
        return whole_answer(attempt.endpoint.shape, read_events(attempt))
    return mapping(read_body(attempt))


def _contents(request: Mapping[str, Any], answer: Mapping[str, Any], texts: Texts, bytes_max: int) -> dict[str, Any]:
    """Return the attributes that hold content, within a size: first the answer, then what was asked, the last first."""
    room = _Room(bytes_max - _FRAME_BYTES)
    outputs = [each for each in map(room.fit_message, output_messages(answer, texts)) if each is not None]
    system = room.fit_list(system_instructions(request, texts))
    inputs: list[Message] = []
    for message in asked_last_first(request, texts):
        if message is not None and (fitting := room.fit_message(message)) is not None:
            inputs.insert(0, fitting)
        if room.full:
            break
    tools = room.fit_list(tool_definitions(request, texts)) if not room.full else []
    found = {
        semconv.INPUT_MESSAGES: inputs,
        semconv.OUTPUT_MESSAGES: outputs,
        semconv.SYSTEM_INSTRUCTIONS: system,
        semconv.TOOL_DEFINITIONS: tools,
    }
    return {key: value for key, value in found.items() if value} | (
        {semconv.CONTENT_TRUNCATED: True} if texts.cut or room.full else {}
    )


class _Room:
    """Bytes that a record may still take; `full` once something did not fit."""

    def __init__(self, size: int) -> None:
        self._left = size
        self.full = False

    def fit_message(self, message: Message) -> Message | None:
        """Return a message with as many of its first parts as fit, None if none does."""
        self._left -= encoded_size({key: value for key, value in message.items() if key != "parts"}) + 2 * _MEMBER_BYTES
        parts = self.fit_list(message["parts"])
        return {**message, "parts": parts} if parts else None

    def fit_list(self, values: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Return the first values that fit."""
        return [value for value in values if self._takes(value)]

    def _takes(self, value: dict[str, Any]) -> bool:
        size = encoded_size(value) + _MEMBER_BYTES
        if self.full or size > self._left:
            self.full = True
            return False
        self._left -= size
        return True


def _send(record: ContentRecord) -> None:
    if _capture is not None:
        _capture(record)
    elif not _disabled():
        _own_sender().put(
            encode_log(
                (record.trace_id, record.span_id),
                semconv.CONTENT_EVENT,
                (record.ended_ns, record.observed_ns),
                record.attributes,
            )
        )


def _log(record: ContentRecord) -> None:
    """Emit a record through the application's own LoggerProvider; nothing where it has none."""
    from opentelemetry._logs import LogRecord, get_logger_provider

    span = SpanContext(record.trace_id, record.span_id, is_remote=False, trace_flags=trace.TraceFlags.get_default())
    get_logger_provider().get_logger(semconv.SCOPE, version("farebox")).emit(
        LogRecord(
            timestamp=record.ended_ns,
            observed_timestamp=record.observed_ns,
            context=trace.set_span_in_context(NonRecordingSpan(span), Context()),
            event_name=semconv.CONTENT_EVENT,
            attributes=dict(record.attributes),
        )
    )


def _disabled() -> bool:
    return os.environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true"


def _own_sender() -> Sender:
    """Return the sender of records, made once a process."""
    global _sender
    with _lock:
        if _sender is None:
            release = version("farebox")
            envelope = Envelope(Resource.create().attributes, semconv.SCOPE, release)
            _sender = Sender(connector("logs"), envelope, "records of content")
            observe_contents(metrics.get_meter(semconv.SCOPE, release), _sender)
    return _sender


def observe_contents(meter: metrics.Meter, sender: Sender) -> None:
    """Publish what became of the records as counters `farebox.contents_*`, beside those of spans."""
    for field, sentence in (
        ("sent", "Records of content that the collector has taken."),
        ("dropped", "Records of content dropped because the sender's queue was full."),
        ("refused", "Records of content that the collector refused for good."),
    ):

        def observe(_: CallbackOptions, field: str = field) -> Iterator[Observation]:
            yield Observation(getattr(sender, field))

        meter.create_observable_counter(f"farebox.contents_{field}", [observe], unit="1", description=sentence)


def _forget() -> None:
    """In a forked child the sender's thread is gone and its queue belongs to the parent."""
    global _lock
    _lock = threading.Lock()
    if _sender is not None:
        _sender.after_fork()


os.register_at_fork(after_in_child=_forget)
