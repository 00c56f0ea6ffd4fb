"""Routes the same seeded traffic really through other models, at the simulated providers: the truth of a what-if."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from clickhouse_connect.driver.client import Client
from demo.serving import serve

import farebox
from farebox.testing import capture
from farebox_demo.providers._delivery import Pace
from farebox_demo.providers._invoice import Invoice
from farebox_demo.providers._server import Providers
from farebox_demo.router import Choice, Model
from farebox_demo.traffic import Traffic
from farebox_demo.workload import Task

COLUMNS = ("Timestamp", "TraceId", "SpanId", "SpanName", "ServiceName", "ScopeName", "SpanAttributes", "Duration")
# Ten times the demo's pace; a slow answer is still slower than who is impatient waits.
PACE = Pace(
    first_byte_min=0, first_byte_max=0.003, between_events=0.0005, before_usage=0.01, slow=2.0, retry_after=0.01
)
TRUE = "true "


def only(*models: Model) -> Choice:
    """Ask these models whatever the question."""
    return lambda _: models


def play(
    client: Client, tasks: Sequence[Task], seed: int, choose: Choice | None = None, invoice: Path | None = None
) -> None:
    """Have tasks answered by simulated providers of that seed, and put what was recorded into a ledger.

    invoice: a file for what the providers invoice.
    """
    with _providers(seed, invoice) as url, capture() as captured:
        Traffic(url, choose).run(tasks, lambda: None)
        spans = captured.spans()
    rows = []
    for span in spans:
        context, start, end = span.context, span.start_time or 0, span.end_time or 0
        assert context is not None
        rows.append(
            [
                datetime.fromtimestamp(start / 1e9, UTC),
                f"{context.trace_id:032x}",
                f"{context.span_id:016x}",
                span.name,
                "demo",
                "farebox",
                {name: _text(value) for name, value in (span.attributes or {}).items()},
                end - start,
            ]
        )
    client.insert("otel_traces", rows, column_names=list(COLUMNS))


def truly(tasks: Sequence[Task], route: str) -> list[Task]:
    """Take the tasks of a route, under a route and names of their own."""
    return [replace(task, route=TRUE + route, name=TRUE + task.name) for task in tasks if task.route == route]


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else json.dumps(list(value) if isinstance(value, tuple) else value)


@contextmanager
def _providers(seed: int, invoice: Path | None) -> Iterator[str]:
    with TemporaryDirectory() as folder:
        providers = Providers(seed, Invoice(invoice or Path(folder) / "invoice.jsonl"), f"run {seed}", pace=PACE)
        port, stop = serve(providers)
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            farebox.flush(timeout_s=0.1)
            stop()
