"""Makes OTLP requests for tests, span by span and record by record."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.trace.v1.trace_pb2 import Span

__all__ = ["any_value", "attempt", "log_record", "logs", "span", "traces"]


def any_value(value: Any) -> AnyValue:
    """Wrap a Python value as OTLP does; None is the empty value."""
    made = AnyValue()
    match value:
        case None:
            pass
        case bool():
            made.bool_value = value
        case int():
            made.int_value = value
        case float():
            made.double_value = value
        case str():
            made.string_value = value
        case bytes():
            made.bytes_value = value
        case Mapping():
            made.kvlist_value.SetInParent()
            for key, member in value.items():
                made.kvlist_value.values.add(key=key, value=any_value(member))
        case Sequence():
            made.array_value.SetInParent()
            made.array_value.values.extend(map(any_value, value))
    return made


def span(number: int, attributes: Mapping[str, Any] | None = None, **fields: Any) -> Span:
    """Make a span whose ids are made of a number, started now, one millisecond long."""
    now = time.time_ns()
    values = {
        "trace_id": number.to_bytes(16, "big"),
        "span_id": number.to_bytes(8, "big"),
        "name": "chat claude-haiku-4-5",
        "kind": Span.SPAN_KIND_CLIENT,
        "start_time_unix_nano": now,
        "end_time_unix_nano": now + 1_000_000,
    }
    made = Span(**{**values, **fields})
    for key, value in (attributes or {}).items():
        made.attributes.add(key=key, value=any_value(value))
    return made


def attempt(number: int, attributes: Mapping[str, Any] | None = None, **fields: Any) -> Span:
    """Make the span of one priced attempt: 1000 input and 100 output tokens of Claude Haiku 4.5."""
    values = {
        "farebox.kind": "attempt",
        "farebox.provider": "anthropic",
        "farebox.route": "hard",
        "farebox.instance": "test",
        "farebox.seq": number,
        "farebox.call_id": number.to_bytes(8, "big").hex(),
        "farebox.attempt": 0,
        "farebox.outcome": "ok",
        "farebox.usage.state": "reported",
        "farebox.usage.uncached_input_tokens": 1000,
        "farebox.usage.output_tokens": 100,
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": "claude-haiku-4-5",
        "gen_ai.response.model": "claude-haiku-4-5-20251001",
    }
    return span(number, {**values, **(attributes or {})}, **fields)


def traces(*spans: Span, service: str = "shop", scope: str = "farebox") -> ExportTraceServiceRequest:
    """Put spans into one request, under one resource and one scope."""
    request = ExportTraceServiceRequest()
    resource_spans = request.resource_spans.add()
    resource_spans.resource.attributes.add(key="service.name", value=any_value(service))
    scope_spans = resource_spans.scope_spans.add()
    scope_spans.scope.name = scope
    scope_spans.scope.version = "0.1.0"
    scope_spans.spans.extend(spans)
    return request


def log_record(number: int, attributes: Mapping[str, Any] | None = None, **fields: Any) -> LogRecord:
    """Make a record of content whose ids are those of the span of the same number."""
    now = time.time_ns()
    values = {
        "trace_id": number.to_bytes(16, "big"),
        "span_id": number.to_bytes(8, "big"),
        "event_name": "gen_ai.client.inference.operation.details",
        "time_unix_nano": now,
        "observed_time_unix_nano": now,
    }
    made = LogRecord(**{**values, **fields})
    for key, value in (attributes or {}).items():
        made.attributes.add(key=key, value=any_value(value))
    return made


def logs(*records: LogRecord, service: str = "shop", scope: str = "farebox") -> ExportLogsServiceRequest:
    """Put records into one request, under one resource and one scope."""
    request = ExportLogsServiceRequest()
    resource_logs = request.resource_logs.add()
    resource_logs.resource.attributes.add(key="service.name", value=any_value(service))
    scope_logs = resource_logs.scope_logs.add()
    scope_logs.scope.name = scope
    scope_logs.scope.version = "0.1.0"
    scope_logs.log_records.extend(records)
    return request
