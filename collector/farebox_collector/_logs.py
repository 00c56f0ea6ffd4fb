"""Turns farebox's own records in an OTLP logs request into rows of `otel_logs`; others are counted and left out."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord, ResourceLogs, ScopeLogs

from farebox.semconv import SCOPE
from farebox_collector._attributes import ATTRIBUTES, TEXT, AttributeMaps, attribute_text, service_of
from farebox_collector._spans import MEMBERS_MAX, SPAN_ID_BYTES, TIME, TIMESTAMP_MAX, TRACE_ID_BYTES

__all__ = ["LOGS_SCHEMA", "LogRows", "keeps_record", "log_rows_of"]

BYTE_MAX = 255

# Names and meanings as the OpenTelemetry Collector's ClickHouse exporter has them.
LOGS_SCHEMA = pa.schema(
    [
        ("Timestamp", TIME),
        ("TraceId", TEXT),
        ("SpanId", TEXT),
        ("TraceFlags", pa.uint8()),
        ("SeverityText", TEXT),
        ("SeverityNumber", pa.uint8()),
        ("ServiceName", TEXT),
        ("Body", TEXT),
        ("ResourceSchemaUrl", TEXT),
        ("ResourceAttributes", ATTRIBUTES),
        ("ScopeSchemaUrl", TEXT),
        ("ScopeName", TEXT),
        ("ScopeVersion", TEXT),
        ("ScopeAttributes", ATTRIBUTES),
        ("LogAttributes", ATTRIBUTES),
        ("EventName", TEXT),
    ]
)


@dataclass(frozen=True)
class LogRows:
    """Rows of one request: the table, how many records were refused by reason, and how many are of other scopes."""

    table: pa.Table
    rejected: Counter[str]
    others: int


def log_rows_of(request: ExportLogsServiceRequest) -> LogRows:
    """Convert every valid record of farebox's scope; an invalid one is counted under its reason and left out."""
    columns = _Columns()
    others = 0
    for resource_logs in request.resource_logs:
        for scope_logs in resource_logs.scope_logs:
            if scope_logs.scope.name != SCOPE:
                others += len(scope_logs.log_records)
                continue
            for record in scope_logs.log_records:
                reason = _fault(record)
                if reason is None:
                    columns.add(record, scope_logs, resource_logs)
                else:
                    columns.rejected[reason] += 1
    return LogRows(columns.table(), columns.rejected, others)


def keeps_record(record: LogRecord, scope_logs: ScopeLogs) -> bool:
    """Say whether a record becomes a row."""
    return scope_logs.scope.name == SCOPE and _fault(record) is None


def _fault(record: LogRecord) -> str | None:
    """Say why a record cannot be kept; None when it can. One that belongs to no span has no ids."""
    if len(record.trace_id) not in (0, TRACE_ID_BYTES):
        return f"trace_id has {len(record.trace_id)} bytes instead of {TRACE_ID_BYTES}"
    if len(record.span_id) not in (0, SPAN_ID_BYTES):
        return f"span_id has {len(record.span_id)} bytes instead of {SPAN_ID_BYTES}"
    if len(record.attributes) > MEMBERS_MAX:
        return f"it has more than {MEMBERS_MAX} attributes"
    return None


@dataclass
class _Columns:
    """Columns of `otel_logs` as Python lists; the order of `table()` is that of LOGS_SCHEMA."""

    scalars: list[tuple[Any, ...]] = field(default_factory=list)
    resources: AttributeMaps = field(default_factory=AttributeMaps)
    scopes: AttributeMaps = field(default_factory=AttributeMaps)
    attributes: AttributeMaps = field(default_factory=AttributeMaps)
    rejected: Counter[str] = field(default_factory=Counter)

    def add(self, record: LogRecord, scope_logs: ScopeLogs, resource_logs: ResourceLogs) -> None:
        self.resources.add(resource_logs.resource.attributes)
        self.scopes.add(scope_logs.scope.attributes)
        self.attributes.add(record.attributes)
        self.scalars.append(
            (
                min(record.time_unix_nano or record.observed_time_unix_nano, TIMESTAMP_MAX),
                record.trace_id.hex() if any(record.trace_id) else "",
                record.span_id.hex() if any(record.span_id) else "",
                record.flags & BYTE_MAX,
                record.severity_text,
                min(max(record.severity_number, 0), BYTE_MAX),
                service_of(resource_logs.resource.attributes),
                attribute_text(record.body),
                resource_logs.schema_url,
                scope_logs.schema_url,
                scope_logs.scope.name,
                scope_logs.scope.version,
                record.event_name,
            )
        )

    def table(self) -> pa.Table:
        maps = {
            "ResourceAttributes": self.resources.array(),
            "ScopeAttributes": self.scopes.array(),
            "LogAttributes": self.attributes.array(),
        }
        scalars = iter(zip(*self.scalars, strict=True) if self.scalars else [()] * (len(LOGS_SCHEMA) - len(maps)))
        columns = [
            maps[column.name] if column.name in maps else pa.array(next(scalars), column.type) for column in LOGS_SCHEMA
        ]
        return pa.table(columns, schema=LOGS_SCHEMA)
