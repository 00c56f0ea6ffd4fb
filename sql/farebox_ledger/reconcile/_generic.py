"""Reads any CSV file by a mapping: a small TOML file that says which column holds what."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from farebox_ledger._book_rows import SOLD
from farebox_ledger.errors import BillError
from farebox_ledger.reconcile._lines import ANY_INPUT, ANY_WRITE, DAY, Line, moment, number

__all__ = ["Mapped", "generic_csv", "read_mapping"]

TEXTS = (
    "model",
    "unit",
    "currency",
    "service_tier",
    "region",
    "organization",
    "workspace",
    "project",
    "key_id",
    "description",
    "line_id",
)
COLUMNS = ("start", "end", "quantity", "amount", *TEXTS)
KEYS = ("provider", "columns", "quantities", "units", "constants", "timezone_hours", "period_hours", "amount_scale")
KNOWN_UNITS = (*SOLD, ANY_INPUT, ANY_WRITE, "")


@dataclass(frozen=True)
class Mapped:
    """A mapping: `columns` name ours to theirs, `quantities` a unit to their column, `units` their word to our unit."""

    provider: str
    columns: Mapping[str, str]
    quantities: Mapping[str, str] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)
    constants: Mapping[str, str] = field(default_factory=dict)
    zone_h: Decimal = Decimal(0)
    period: timedelta = DAY
    scale: int = 0


def read_mapping(path: Path) -> Mapped:
    """Read a mapping file.

    Raises:
        BillError: it cannot be read, or names what is not known; says what is allowed.
    """
    try:
        said = tomllib.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
        return _mapping(said)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BillError(f"{path} cannot be read as TOML: {error}; mend it") from None
    except (ValueError, ArithmeticError, TypeError) as error:
        raise BillError(f"{path}: {error}; mend it") from None


def generic_csv(rows: Iterable[Mapping[str, str]], mapped: Mapped) -> Iterator[Line]:
    """Read the rows of a file by its mapping."""
    for row in rows:
        texts: dict[str, Any] = {name: _cell(row, mapped, name) for name in TEXTS}
        start = moment(_cell(row, mapped, "start"), mapped.columns.get("start", "start"), mapped.zone_h)
        until = _cell(row, mapped, "end")
        end = moment(until, mapped.columns["end"], mapped.zone_h) if until else start + mapped.period
        texts["unit"] = _unit(texts["unit"], mapped)
        texts["currency"] = texts["currency"].upper() or "USD"
        amount = number(_cell(row, mapped, "amount"), mapped.columns.get("amount", "amount"))
        amount = None if amount is None else amount.scaleb(mapped.scale)
        quantity = number(_cell(row, mapped, "quantity"), mapped.columns.get("quantity", "quantity"))
        for unit, column in mapped.quantities.items():
            counted = number(row.get(column), column)
            if counted:
                yield Line(start, end, quantity=counted, **{**texts, "unit": unit})
        if amount is not None or quantity is not None:
            yield Line(start, end, quantity=quantity, amount=amount, **texts)


def _mapping(said: Mapping[str, Any]) -> Mapped:
    unknown = next((key for key in said if key not in KEYS), None)
    if unknown:
        raise ValueError(f"{unknown!r} is none of {', '.join(KEYS)}")
    columns, constants = dict(said.get("columns", {})), dict(said.get("constants", {}))
    unknown = next((key for key in (*columns, *constants) if key not in COLUMNS), None)
    if unknown:
        raise ValueError(f"{unknown!r} is none of {', '.join(COLUMNS)}")
    quantities, units = dict(said.get("quantities", {})), dict(said.get("units", {}))
    unknown = next((unit for unit in (*quantities, *units.values()) if unit not in KNOWN_UNITS), None)
    if unknown is not None:
        raise ValueError(f"unit {unknown!r} is none of {', '.join(KNOWN_UNITS)}")
    if not said.get("provider") or "start" not in columns:
        raise ValueError("provider, and start under [columns], are needed")
    if not quantities and "amount" not in columns and "quantity" not in columns:
        raise ValueError("name an amount or a quantity under [columns], or units under [quantities]")
    return Mapped(
        provider=str(said["provider"]),
        columns=columns,
        quantities=quantities,
        units={str(word).lower(): unit for word, unit in units.items()},
        constants={name: str(value) for name, value in constants.items()},
        zone_h=Decimal(str(said.get("timezone_hours", 0))),
        period=timedelta(hours=float(said.get("period_hours", 24))),
        scale=-2 if said.get("amount_scale") == "cents" else 0,
    )


def _cell(row: Mapping[str, str], mapped: Mapped, name: str) -> str:
    column = mapped.columns.get(name)
    if column is None:
        return mapped.constants.get(name, "")
    if column not in row:
        raise ValueError(f"there is no column {column!r}, which the mapping names for {name}")
    return row[column] or ""


def _unit(word: str, mapped: Mapped) -> str:
    if word.lower() in mapped.units:
        return mapped.units[word.lower()]
    if word not in KNOWN_UNITS:
        raise ValueError(f"unit {word!r} is neither ours nor under [units]")
    return word
