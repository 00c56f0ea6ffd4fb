"""Makes Grafana's data frames of ClickHouse's answers, as its plugin does: tables as they come, series long to wide.

Source: grafana/grafana-plugin-sdk-go, data.LongToWide; @grafana/data, DataFrameJSON; read 2026-11-23.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

__all__ = ["Table", "frame", "read_table"]

Kind = Literal["time", "number", "boolean", "string"]

WRAPPED = re.compile(r"^(?:Nullable|LowCardinality)\((.*)\)$")
NUMBERS = re.compile(r"^(?:U?Int\d+|B?Float\d+|Decimal\d*\b)")
TIMES = re.compile(r"^Date")


@dataclass(frozen=True)
class Table:
    """An answer: names and kinds of its columns, and its rows; times are milliseconds since 1970.

    size: bytes of the answer as it came; asked_at: when it was asked for, of the monotonic clock; older_s: how many
    seconds old it was then; notes: what whoever sees it must know.
    """

    names: tuple[str, ...]
    kinds: tuple[Kind, ...]
    rows: Sequence[Sequence[Any]]
    cut: bool = False
    size: int = 0
    asked_at: float = 0.0
    older_s: float = 0.0
    notes: frozenset[str] = frozenset()

    def records(self) -> list[dict[str, Any]]:
        """Give the rows as objects."""
        return [dict(zip(self.names, row, strict=True)) for row in self.rows]


def read_table(answer: bytes, rows_max: int, *, exact: bool = False) -> Table:
    """Read an answer in JSONCompact; of more rows than `rows_max` the first are kept.

    exact: decimals stay text, to the last digit, instead of becoming numbers to draw.
    """
    found = json.loads(answer)
    names = tuple(column["name"] for column in found["meta"])
    kinds = tuple(_kind(column["type"], exact=exact) for column in found["meta"])
    rows = [[_value(kind, value) for kind, value in zip(kinds, row, strict=True)] for row in found["data"][:rows_max]]
    return Table(names, kinds, rows, cut=len(found["data"]) > rows_max)


def frame(table: Table, ref_id: str, *, is_series: bool) -> dict[str, Any]:
    """Make a data frame of an answer, in the form that `dataFrameFromJSON` of @grafana/data reads."""
    fields, values = _wide(table) if is_series and "string" in table.kinds else _plain(table)
    return {"schema": {"refId": ref_id, "fields": fields}, "data": {"values": values}}


def _plain(table: Table) -> tuple[list[dict[str, Any]], list[list[Any]]]:
    fields: list[dict[str, Any]] = [
        {"name": name, "type": kind} for name, kind in zip(table.names, table.kinds, strict=True)
    ]
    return fields, [[row[at] for row in table.rows] for at in range(len(table.names))]


def _wide(table: Table) -> tuple[list[dict[str, Any]], list[list[Any]]]:
    """Turn rows of (time, labels, numbers) into a column for each number and set of labels; what is missing is null."""
    places: dict[Kind, list[int]] = {kind: [] for kind in ("time", "number", "boolean", "string")}
    for at, kind in enumerate(table.kinds):
        places[kind].append(at)
    time, labels = places["time"][0], places["string"]
    times = sorted({row[time] for row in table.rows if row[time] is not None})
    position = {moment: at for at, moment in enumerate(times)}
    series: dict[tuple[Any, ...], list[Any]] = {}
    for row in table.rows:
        if row[time] is None:
            continue
        for number in places["number"]:
            key = (number, *(row[at] for at in labels))
            series.setdefault(key, [None] * len(times))[position[row[time]]] = row[number]
    fields: list[dict[str, Any]] = [{"name": table.names[time], "type": "time"}]
    # In order of their labels, so that a series keeps its colour whichever comes first in time.
    for number, *texts in (keys := sorted(series, key=lambda key: [key[0], *map(str, key[1:])])):
        named = {table.names[at]: text or "" for at, text in zip(labels, texts, strict=True)}
        fields.append({"name": table.names[number], "type": "number", "labels": named})
    return fields, [times, *(series[key] for key in keys)]


def _kind(declared: str, *, exact: bool) -> Kind:
    while wrapped := WRAPPED.match(declared):
        declared = wrapped[1]
    if TIMES.match(declared):
        return "time"
    if declared.startswith("Decimal") and exact:
        return "string"
    if NUMBERS.match(declared):
        return "number"
    return "boolean" if declared == "Bool" else "string"


def _value(kind: Kind, value: Any) -> Any:
    if value is None:
        return None
    match kind:
        case "time":
            return _milliseconds(value)
        case "number":
            return value if isinstance(value, int | float) else float(value)
        case "string":
            return value if isinstance(value, str | list | Mapping) else str(value)
        case _:
            return bool(value)


def _milliseconds(text: str) -> int:
    """Read a date, or a moment as ISO 8601 has it; without a zone it is UTC."""
    moment = datetime.fromisoformat(text)
    return round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)
