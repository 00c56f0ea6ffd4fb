"""Keeps the tables of the price book in step with the book's files, which people read and review.

`prices/catalogue/` is generated, `prices/own/` is written by hand and goes before it. `aliases.csv` and `fallbacks.csv`
hold rules, every other file prices. The tables only grow: a row of the files that differs from what a table holds is
added under the same key, and the latest row of a key holds.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Context, Decimal, Inexact, InvalidOperation
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, TypeVar

from farebox_ledger.errors import BookError

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

__all__ = ["UNITS", "PriceRow", "book_rows", "price_row", "reload_book", "sync_book"]

# The usage leaves that have a price; each is a column of llm_attempts and of price_spans.
UNITS = (
    "uncached_input_tokens",
    "cache_read_tokens",
    "cache_write_5m_tokens",
    "cache_write_1h_tokens",
    "cache_write_unsplit_tokens",
    "cache_write_30m_tokens",
    "cache_write_12h_tokens",
    "audio_input_tokens",
    "image_input_tokens",
    "output_tokens",
    "audio_output_tokens",
    "image_output_tokens",
    "web_search_requests",
    "web_fetch_requests",
)
FOLDERS = ("catalogue", "own")  # a later one goes before an earlier one
DICTIONARIES = ("price", "price_name", "price_rule")
SCALE = 12
PRICE_MAX = 1_000_000
EXACT = Context(prec=60, traps=[Inexact, InvalidOperation])
NO_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)

T = TypeVar("T")
Row = Mapping[str, Any]


@dataclass(frozen=True)
class _Table:
    """A table of the book: its key, what else makes a row differ, and what merely goes along."""

    name: str
    key: tuple[str, ...]
    content: tuple[str, ...]
    beside: tuple[str, ...]


PRICES = _Table(
    "prices",
    key=("provider", "region", "model", "variant", "unit", "tier_above", "valid_from", "book"),
    content=("price", "approximate", "source", "note"),
    beside=("checked_on",),
)
FALLBACKS = _Table(
    "price_fallbacks", key=("provider", "unit"), content=("billed_as", "source", "note"), beside=("checked_on",)
)
ALIASES = _Table(
    "price_aliases",
    key=("provider", "field", "match", "pattern"),
    content=("value", "source"),
    beside=("checked_on",),
)


@dataclass(frozen=True)
class PriceRow:
    """One price: USD for one unit, None to withdraw it; fields as the columns of the table `prices`."""

    provider: str
    region: str
    model: str
    variant: str
    unit: str
    tier_above: int
    valid_from: datetime
    price: Decimal | None
    approximate: bool
    checked_on: date
    source: str
    note: str
    book: str = "farebox"


def sync_book(client: Client) -> int:
    """Add the rows of the book's files that the tables lack, and return how many; then load the dictionaries anew.

    Raises:
        BookError: a row of the files is unreadable; names file and line.
    """
    now = datetime.now(UTC)
    added = sum(_add_missing(client, table, rows, now) for table, rows in book_rows().items())
    if added:
        reload_book(client)
    return added


def reload_book(client: Client) -> None:
    """Load the dictionaries anew; needed after every change of the tables, since they never do it by themselves."""
    for name in DICTIONARIES:
        client.command(f"SYSTEM RELOAD DICTIONARY {client.database}.{name}")


@cache
def book_rows() -> Mapping[_Table, Sequence[Row]]:
    """Read the book's files: the rows of each table, by column.

    Raises:
        BookError: a row is unreadable, or two of one folder have the same key.
    """
    rows: dict[_Table, dict[tuple[Any, ...], Row]] = {PRICES: {}, FALLBACKS: {}, ALIASES: {}}
    for folder in FOLDERS:
        for table, found in _read_folder(folder).items():
            rows[table].update(_by_key(table, found))
    return {table: list(found.values()) for table, found in rows.items()}


def price_row(fields: Mapping[str, str]) -> PriceRow:
    """Read one line of a price file, by column; `price` is for `per` units, and division by `per` must be exact.

    Raises:
        ValueError: says which column holds what, and what is allowed.
    """
    if fields["unit"] not in UNITS:
        raise ValueError(f"unit {fields['unit']!r} is none of {', '.join(UNITS)}")
    if not fields["provider"] or not fields["model"] or not fields["source"]:
        raise ValueError("provider, model and source must not be empty")
    return PriceRow(
        provider=fields["provider"],
        region=fields["region"],
        model=fields["model"],
        variant=fields["variant"],
        unit=fields["unit"],
        tier_above=int(fields["tier_above"] or 0),
        valid_from=_day(fields["valid_from"]),
        price=_per_unit(fields["price"], fields["per"]),
        approximate={"": False, "approximate": True}[fields["approximate"]],
        checked_on=date.fromisoformat(fields["checked_on"]),
        source=fields["source"],
        note=fields["note"],
    )


def _per_unit(price: str, per: str) -> Decimal | None:
    if price == "":
        return None
    try:
        amount = EXACT.divide(Decimal(price), Decimal(per)).quantize(Decimal(1).scaleb(-SCALE), context=EXACT)
    except (InvalidOperation, Inexact, ArithmeticError):
        raise ValueError(f"{price!r} per {per!r} is not a price with at most {SCALE} decimals per unit") from None
    if not 0 <= amount <= PRICE_MAX:
        raise ValueError(f"{price!r} per {per!r} is not between 0 and {PRICE_MAX} USD per unit")
    return amount


def _day(text: str) -> datetime:
    return datetime.combine(date.fromisoformat(text), datetime.min.time(), UTC) if text else NO_BEGINNING


def _fallback(fields: Mapping[str, str]) -> Row:
    for column in ("unit", "billed_as"):
        if fields[column] not in UNITS:
            raise ValueError(f"{column} {fields[column]!r} is none of {', '.join(UNITS)}")
    return {**fields, "checked_on": date.fromisoformat(fields["checked_on"])}


def _alias(fields: Mapping[str, str]) -> Row:
    if fields["field"] not in ("model", "variant", "region"):
        raise ValueError(f"field {fields['field']!r} is none of model, variant, region")
    if fields["match"] not in ("exact", "prefix", "suffix", "any"):
        raise ValueError(f"match {fields['match']!r} is none of exact, prefix, suffix, any")
    if fields["match"] == "exact" and fields["pattern"] != fields["pattern"].lower():
        raise ValueError(f"pattern {fields['pattern']!r} must be lower case: names are compared in lower case")
    if fields["match"] in ("prefix", "suffix"):
        _require_expression(fields["pattern"])
    return {**fields, "checked_on": date.fromisoformat(fields["checked_on"])}


def _require_expression(pattern: str) -> None:
    """Refuse what is no regular expression: joined with the others, it would stop every attempt from being stored."""
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"pattern {pattern!r} is no regular expression: {error}") from None


def _read_folder(folder: str) -> Mapping[_Table, list[Row]]:
    rows: dict[_Table, list[Row]] = {PRICES: [], FALLBACKS: [], ALIASES: []}
    names = (file.name for file in files("farebox_ledger").joinpath("prices", folder).iterdir())
    for name in sorted(name for name in names if name.endswith(".csv")):
        path = f"{folder}/{name}"
        if name == "aliases.csv":
            rows[ALIASES] += _read(path, _alias)
        elif name == "fallbacks.csv":
            rows[FALLBACKS] += _read(path, _fallback)
        else:
            rows[PRICES] += (vars(row) for row in _read(path, price_row))
    return rows


def _read(path: str, parse: Callable[[Mapping[str, str]], T]) -> Iterator[T]:
    text = files("farebox_ledger").joinpath("prices", path).read_text(encoding="utf-8")
    reader = csv.DictReader(text.splitlines())
    for fields in reader:
        try:
            if None in fields or None in fields.values():
                raise ValueError(f"has not {len(reader.fieldnames or ())} columns")
            yield parse(fields)
        except (ValueError, KeyError) as error:
            raise BookError(f"prices/{path} line {reader.line_num}: {error}; mend that line") from None


def _by_key(table: _Table, rows: Sequence[Row]) -> dict[tuple[Any, ...], Row]:
    found: dict[tuple[Any, ...], Row] = {}
    for row in rows:
        key = tuple(row[column] for column in table.key)
        if key in found:
            words = ", ".join(f"{column} {value}" for column, value in zip(table.key, key, strict=True) if value)
            raise BookError(f"the price book has two rows for {words}; remove one")
        found[key] = row
    return found


def _add_missing(client: Client, table: _Table, rows: Sequence[Row], now: datetime) -> int:
    latest = ", ".join(f"argMax(tuple({column}), added_at).1" for column in table.content)
    key = ", ".join(table.key)
    held = client.query(f"SELECT {key}, {latest} FROM {table.name} GROUP BY {key}").result_rows  # noqa: S608
    width = len(table.key)
    known = {_comparable(row[:width]): tuple(row[width:]) for row in held}
    missing = [
        row
        for row in rows
        if known.get(_comparable(row[column] for column in table.key)) != tuple(row[column] for column in table.content)
    ]
    columns = (*table.key, *table.content, *table.beside)
    if missing:
        client.insert(
            table.name,
            [[*(row[column] for column in columns), now] for row in missing],
            column_names=[*columns, "added_at"],
        )
    return len(missing)


def _comparable(key: Iterable[Any]) -> tuple[Any, ...]:
    """Drop the time zone, which is UTC: the embedded engine does not say it for DateTime columns."""
    return tuple(value.replace(tzinfo=None) if isinstance(value, datetime) else value for value in key)
