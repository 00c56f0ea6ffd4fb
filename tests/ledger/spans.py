"""Spans as the collector stores them, and the attempts that the ledger makes of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import Any

from clickhouse_connect.driver.client import Client

COLUMNS = (
    "Timestamp",
    "TraceId",
    "SpanId",
    "ParentSpanId",
    "SpanName",
    "ServiceName",
    "ScopeName",
    "SpanAttributes",
    "Duration",
)
NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)

_numbers = count(1)


@dataclass(frozen=True)
class Span:
    """One row of otel_traces; `attributes` are as the exporter writes them, all text."""

    attributes: Mapping[str, str]
    started_at: datetime = NOW
    trace_id: str = field(default_factory=lambda: f"{next(_numbers):032x}")
    span_id: str = field(default_factory=lambda: f"{next(_numbers):016x}")
    scope: str = "farebox"
    name: str = ""
    parent_id: str = ""

    def row(self) -> list[Any]:
        """Lay the span out in the order of COLUMNS."""
        moment = self.started_at.astimezone(UTC)
        names = [self.parent_id, self.name, "shop", self.scope]
        return [moment, self.trace_id, self.span_id, *names, dict(self.attributes), 1_500_000]


def attempt(
    model: str = "claude-haiku-4-5",
    provider: str = "anthropic",
    *,
    usage: Mapping[str, object] | None = None,
    started_at: datetime = NOW,
    trace_id: str | None = None,
    span_id: str | None = None,
    scope: str = "farebox",
    **attributes: object,
) -> Span:
    """Make an attempt's span: usage leaves by their names, other attributes with _ for the points after farebox."""
    ids = {name: value for name, value in (("trace_id", trace_id), ("span_id", span_id)) if value is not None}
    leaves = {"uncached_input_tokens": 1000, "output_tokens": 10} if usage is None else usage
    texts: dict[str, object] = {
        "farebox.kind": "attempt",
        "farebox.provider": provider,
        "farebox.outcome": "ok",
        "farebox.usage.state": "reported",
        "gen_ai.operation.name": "chat",
        "gen_ai.response.model": model,
        **{f"farebox.usage.{leaf}": number for leaf, number in leaves.items()},
        **{_name(name): value for name, value in attributes.items()},
    }
    return Span({name: str(value) for name, value in texts.items()}, started_at, scope=scope, **ids)


def outcome(task: str, success: bool | None, minutes: str = "", reported_at: datetime = NOW) -> Span:
    """Make the span of a report that an application gives of a task later."""
    texts = {"farebox.task": task, "farebox.human_minutes": minutes}
    if success is not None:
        texts["farebox.success"] = str(success).lower()
    return Span(texts, reported_at, name="farebox.outcome")


def store(client: Client, *spans: Span) -> None:
    """Insert spans as one batch."""
    client.insert("otel_traces", [span.row() for span in spans], column_names=list(COLUMNS))


def rows(client: Client, spans: Iterable[Span], columns: str) -> list[tuple[Any, ...]]:
    """Read these spans' rows of the ledger, in the order given; a span without a row is left out."""
    found = client.query(f"SELECT lower(hex(span_id)), {columns} FROM llm_attempts").result_rows
    by_id: dict[str, list[tuple[Any, ...]]] = {}
    for span_id, *values in found:
        by_id.setdefault(span_id, []).append(tuple(values))
    return [row for span in spans for row in by_id.get(span.span_id, [])]


def stored(client: Client, span: Span, columns: str) -> tuple[Any, ...]:
    """Store one span and read its row."""
    store(client, span)
    (row,) = rows(client, [span], columns)
    return row


def _name(keyword: str) -> str:
    known = {
        "operation": "gen_ai.operation.name",
        "request_model": "gen_ai.request.model",
        "response_model": "gen_ai.response.model",
        "finish_reasons": "gen_ai.response.finish_reasons",
        "usage_state": "farebox.usage.state",
        "status": "http.response.status_code",
        "contradiction": "farebox.usage.contradiction",
    }
    return known.get(keyword, f"farebox.{keyword}")
