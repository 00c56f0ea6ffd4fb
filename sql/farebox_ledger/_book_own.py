"""Reads the user's half of the price book: `farebox.toml`, and the files that `farebox prices import` kept.

Prices of one's own go before those of the shipped book from their day on. Amounts are read as decimals, never as
binary fractions.
"""

from __future__ import annotations

import csv
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

from farebox_ledger._book_rows import (
    SOLD,
    CommitmentRow,
    DiscountRow,
    PriceRow,
    Row,
    alias_row,
    commitment_row,
    discount_row,
    price_row,
)
from farebox_ledger._dsn import Dsn
from farebox_ledger.errors import BookError

__all__ = [
    "ALIAS_FILE",
    "ALIAS_KEYS",
    "CATALOGUE_FILE",
    "IMPORTS",
    "PRICE_COLUMNS",
    "OwnBook",
    "own_files",
    "read_own_book",
    "read_price_file",
]

TOML_FILE = "farebox.toml"
# Where an embedded ledger keeps the files that were imported into it.
IMPORTS = "prices"
# How the names of files end that a catalogue's import made, which is not the user's word.
CATALOGUE_FILE, ALIAS_FILE = ".catalogue.csv", ".aliases.csv"
PRICE_COLUMNS = (
    "provider",
    "region",
    "model",
    "variant",
    "unit",
    "tier_above",
    "price",
    "per",
    "currency",
    "valid_from",
    "approximate",
    "checked_on",
    "source",
    "note",
)
REQUIRED = ("provider", "model", "unit", "price")
PRICE_KEYS = tuple(column for column in PRICE_COLUMNS if column not in ("unit", "price"))
DISCOUNT_KEYS = ("provider", "model", "percent", "valid_from", "checked_on", "source", "note")
COMMITMENT_KEYS = ("provider", "name", "amount", "currency", "starts", "ends", "checked_on", "source", "note")
ALIAS_KEYS = ("provider", "field", "match", "pattern", "value", "checked_on", "source")

# Units that price lists quote for a million.
MILLIONS = ("_tokens", "_characters")

T = TypeVar("T")
Fields = Mapping[str, str]


@dataclass
class OwnBook:
    """The user's prices, discounts, commitments and names, in the order in which a later one holds.

    files: those that were read whole; what one of them had before and has no more ends.
    """

    prices: list[PriceRow] = field(default_factory=list)
    discounts: list[DiscountRow] = field(default_factory=list)
    commitments: list[CommitmentRow] = field(default_factory=list)
    aliases: list[Row] = field(default_factory=list)
    files: set[str] = field(default_factory=set)


def own_files(dsn: Dsn) -> list[Path]:
    """List the files that hold the user's half of a ledger's book; a change of one of them changes the book."""
    toml = Path(TOML_FILE)
    imported = sorted((dsn.folder / IMPORTS).glob("*.csv")) if dsn.kind == "chdb" else []
    return [*imported, *([toml] if toml.exists() else [])]


def read_own_book(dsn: Dsn) -> OwnBook:
    """Read the user's half of the book of a ledger: imported files in their order, then farebox.toml.

    Raises:
        BookError: something in it is unreadable; names file and place.
    """
    book = OwnBook()
    for path in own_files(dsn):
        # Imported ones have names that are never used twice, wherever their ledger is moved to.
        file = path.name if path.suffix == ".csv" else str(path.resolve())
        book.files.add(file)
        if path.name.endswith(ALIAS_FILE):
            book.aliases += [{**row, "from_file": file} for row in _read_alias_file(path)]
        elif path.suffix == ".csv":
            book.prices += [replace(row, from_file=file) for row in read_price_file(path)]
        else:
            _read_toml(path, file, book)
    return book


def read_price_file(path: Path, book: str = "user") -> list[PriceRow]:
    """Read a CSV file of prices; only provider, model, unit and price are needed, the rest has defaults.

    A file whose name says that it came from a catalogue is not the user's word, and so goes behind it.

    Raises:
        BookError: it cannot be read, or a line makes no sense; names file and line.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise BookError(f"{path} cannot be read as a CSV file: {error}") from None
    reader = csv.DictReader(text.splitlines(), strict=True)
    columns = list(reader.fieldnames or ())
    unknown = [column for column in columns if column not in PRICE_COLUMNS]
    missing = [column for column in REQUIRED if column not in columns]
    if unknown or missing:
        said = f"has a column {unknown[0]!r}" if unknown else f"lacks the column {missing[0]!r}"
        raise BookError(
            f"{path} {said}; columns are {', '.join(PRICE_COLUMNS)}, of which {', '.join(REQUIRED)} are needed"
        )
    whose = "imported" if path.name.endswith(CATALOGUE_FILE) else book
    rows = []
    try:
        for fields in reader:
            if None in fields or None in fields.values():
                raise ValueError(f"has not {len(columns)} columns")
            rows.append(price_row(_with_defaults(fields, path.name), whose))
    except (ValueError, KeyError, csv.Error) as error:
        raise BookError(f"{path} line {reader.line_num}: {error}; mend that line") from None
    return rows


def _read_alias_file(path: Path) -> list[Row]:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return [alias_row(fields) for fields in csv.DictReader(file, strict=True)]
    except (OSError, ValueError, KeyError, csv.Error) as error:
        raise BookError(f"{path} cannot be read as a file of names: {error}; remove it") from None


def _read_toml(path: Path, file: str, book: OwnBook) -> None:
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
    except (OSError, ValueError) as error:
        raise BookError(f"{path} cannot be read as TOML: {error}; mend or remove it") from None
    for rows in _each(tables, "prices", path, (*PRICE_KEYS, *SOLD), _toml_prices):
        book.prices += [replace(row, from_file=file) for row in rows]
    discounts = _each(tables, "discounts", path, DISCOUNT_KEYS, _toml_discount)
    book.discounts += [replace(row, from_file=file) for row in discounts]
    commitments = _each(tables, "commitments", path, COMMITMENT_KEYS, _toml_commitment)
    book.commitments += [replace(row, from_file=file) for row in commitments]
    book.aliases += [{**row, "from_file": file} for row in _each(tables, "aliases", path, ALIAS_KEYS, _toml_alias)]


def _each(
    tables: Mapping[str, Any], name: str, path: Path, allowed: tuple[str, ...], read: Callable[[Fields], T]
) -> Iterator[T]:
    entries = tables.get(name, [])
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise BookError(f"{path}: {name} is not a list of tables; write each under [[{name}]]")
    for number, entry in enumerate(entries, start=1):
        try:
            unknown = [key for key in entry if key not in allowed]
            if unknown:
                raise ValueError(f"{unknown[0]!r} is none of {', '.join(allowed)}")
            yield read({key: _text(key, value) for key, value in entry.items()})
        except (ValueError, KeyError) as error:
            words = f"{error.args[0]} is missing" if isinstance(error, KeyError) else str(error)
            raise BookError(f"{path}: [[{name}]] number {number}: {words}; mend it") from None


def _toml_prices(fields: Fields) -> list[PriceRow]:
    """Read one entry: a price under the name of each unit."""
    units = [unit for unit in SOLD if unit in fields]
    if not units:
        raise ValueError(f"names no price; write one under the name of a unit: {', '.join(SOLD)}")
    common = {key: text for key, text in fields.items() if key not in units}
    if "provider" not in common or "model" not in common:
        raise ValueError("provider and model are needed")
    common["model"] = common["model"].lower()
    return [
        price_row(_with_defaults({**common, "unit": unit, "price": fields[unit]}, TOML_FILE), "user") for unit in units
    ]


def _toml_discount(fields: Fields) -> DiscountRow:
    defaults = {"model": "", "valid_from": "", "checked_on": _today(), "source": TOML_FILE, "note": ""}
    return discount_row({**defaults, **fields})


def _toml_commitment(fields: Fields) -> CommitmentRow:
    defaults = {"name": "", "currency": "USD", "checked_on": _today(), "source": TOML_FILE, "note": ""}
    return commitment_row({**defaults, **fields})


def _toml_alias(fields: Fields) -> Row:
    defaults = {"provider": "", "field": "model", "match": "exact", "checked_on": _today(), "source": TOML_FILE}
    row = {**defaults, **fields}
    return alias_row(
        {**row, "pattern": row["pattern"].lower() if row["match"] == "exact" else row["pattern"], "value": row["value"]}
    )


def _with_defaults(fields: Fields, source: str) -> Fields:
    unit = fields["unit"]
    per = "1000000" if unit.endswith(MILLIONS) else "1000" if unit.endswith("_requests") else "1"
    defaults = {
        **dict.fromkeys(PRICE_COLUMNS, ""),
        "per": per,
        "currency": "USD",
        "checked_on": _today(),
        "source": source,
    }
    return {**defaults, **{key: text for key, text in fields.items() if text != "" or key == "price"}}


def _text(key: str, value: object) -> str:
    """Write a TOML value as the CSV files would; what is no text, number or day makes no sense anywhere."""
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal | date):
        raise ValueError(f"{key} is {value!r}, which is no text, number or day")
    if isinstance(value, datetime):
        return value.date().isoformat()
    return value.isoformat() if isinstance(value, date) else str(value)


def _today() -> str:
    return datetime.now(UTC).date().isoformat()
