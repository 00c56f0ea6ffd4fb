"""Keeps the tables of the price book in step with its files, which people read and review.

`prices/catalogue/` is generated, `prices/own/` is written by hand and goes before it; `farebox.toml` and imported files
are the user's. The tables only grow: a row of the files that differs from what a table holds is added under the same
key, and the latest row of a key holds.
"""

from __future__ import annotations

import csv
import logging
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, TypeVar

from farebox_ledger._book_ends import endings
from farebox_ledger._book_own import OwnBook
from farebox_ledger._book_rows import Row, alias_row, fallback_row, price_row
from farebox_ledger.errors import BookError

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

__all__ = [
    "ALIASES",
    "COMMITMENTS",
    "DISCOUNTS",
    "FALLBACKS",
    "PRICES",
    "book_rows",
    "is_loaded",
    "missing_rows",
    "reload_book",
    "sync_book",
]

FOLDERS = ("catalogue", "own")  # a later one goes before an earlier one
DICTIONARIES = ("discount", "price", "price_name", "price_rule")  # the last holds the version of the book

T = TypeVar("T")

_log = logging.getLogger("farebox.prices")


@dataclass(frozen=True)
class _Table:
    """A table of the book: its key, what else makes a row differ, and what merely goes along.

    value: the column of `content` whose NULL ends an entry; empty where none can be ended. own: which rows may be the
    user's. latest: what orders rows of a key.
    """

    name: str
    key: tuple[str, ...]
    content: tuple[str, ...]
    beside: tuple[str, ...]
    value: str = ""
    own: str = "from_file != ''"
    latest: str = "added_at"

    @property
    def columns(self) -> tuple[str, ...]:
        """All columns but `added_at`."""
        return (*self.key, *self.content, *self.beside, *(("from_file",) if self.value else ()))


PRICES = _Table(
    "prices",
    key=("provider", "region", "model", "variant", "unit", "tier_above", "valid_from", "book"),
    content=("price", "currency", "approximate", "source", "note"),
    beside=("checked_on",),
    value="price",
    own="book = 'user'",
    latest="(checked_on, added_at)",
)
FALLBACKS = _Table(
    "price_fallbacks", key=("provider", "unit"), content=("billed_as", "source", "note"), beside=("checked_on",)
)
ALIASES = _Table(
    "price_aliases",
    key=("provider", "field", "match", "pattern"),
    content=("value", "source"),
    beside=("checked_on",),
    value="value",
)
DISCOUNTS = _Table(
    "price_discounts",
    key=("provider", "model", "valid_from"),
    content=("factor", "source", "note"),
    beside=("checked_on",),
    value="factor",
)
COMMITMENTS = _Table(
    "commitments",
    key=("provider", "name"),
    content=("starts", "ends", "amount", "currency", "source", "note"),
    beside=("checked_on",),
    value="amount",
)


def sync_book(client: Client, own: OwnBook | None = None) -> int:
    """Add the rows of the book's files that the tables lack, and return how many; then load the dictionaries anew.

    What a file of the user's had when it was read the last time, and has no more, ends: that takes rows too.

    Raises:
        BookError: a row of the files is unreadable; names file and line.
    """
    # Of one key the latest row holds: what follows in one go must not bear the same moment.
    now, ending, again = (datetime.now(UTC) + timedelta(microseconds=number) for number in range(3))
    own = own or OwnBook()
    rows = _with_own(book_rows(), own)
    added = sum(_add(client, table, _missing(client, table, found, own.files), now) for table, found in rows.items())
    ended = 0
    for table, found in _own_rows(own).items() if own.files else ():
        ended += _add(client, table, endings(client, table, found, own.files, now), ending)
    if ended:
        # A shipped row that an entry of the user's stood before holds again.
        added += sum(
            _add(client, table, _missing(client, table, found, own.files), again) for table, found in rows.items()
        )
        _log.warning("%d entries of the price book ended: their file no longer has them", ended)
    if added + ended:
        reload_book(client)
    return added + ended


def missing_rows(client: Client, own: OwnBook) -> int:
    """Count the user's rows that the tables lack; reads only."""
    return sum(len(_missing(client, table, rows, own.files)) for table, rows in _own_rows(own).items() if rows)


def is_loaded(client: Client) -> bool:
    """Tell whether the dictionaries hold what the tables hold."""
    loaded = client.query(
        "SELECT dictGet('price_rule', 'book_version', toUInt64(0)) >= (SELECT max(book_version) FROM price_rules)"
    )
    return bool(loaded.result_rows[0][0])


def reload_book(client: Client) -> None:
    """Load the dictionaries anew; needed after every change of the tables, since they never do it by themselves."""
    for name in DICTIONARIES:
        client.command(f"SYSTEM RELOAD DICTIONARY {client.database}.{name}")


@cache
def book_rows() -> Mapping[_Table, Sequence[Row]]:
    """Read the shipped files: the rows of each table, by column.

    Raises:
        BookError: a row is unreadable, or two of one folder have the same key.
    """
    rows: dict[_Table, dict[tuple[Any, ...], Row]] = {PRICES: {}, FALLBACKS: {}, ALIASES: {}}
    for folder in FOLDERS:
        for table, found in _read_folder(folder).items():
            rows[table].update(_by_key(table, found))
    return {table: list(found.values()) for table, found in rows.items()}


def _own_rows(own: OwnBook) -> Mapping[_Table, Sequence[Row]]:
    """Lay the user's rows out by table; of several under one key the last holds."""
    rows: dict[_Table, Sequence[Row]] = {
        PRICES: [vars(row) for row in own.prices],
        ALIASES: own.aliases,
        DISCOUNTS: [vars(row) for row in own.discounts],
        COMMITMENTS: [vars(row) for row in own.commitments],
    }
    return {table: list({_key(table, row): row for row in found}.values()) for table, found in rows.items()}


def _with_own(shipped: Mapping[_Table, Sequence[Row]], own: OwnBook) -> Mapping[_Table, Sequence[Row]]:
    """Put the user's rows over ours."""
    together = dict(shipped)
    for table, rows in _own_rows(own).items():
        if rows:
            together[table] = list({_key(table, row): row for row in (*shipped.get(table, ()), *rows)}.values())
    return together


def _read_folder(folder: str) -> Mapping[_Table, list[Row]]:
    rows: dict[_Table, list[Row]] = {PRICES: [], FALLBACKS: [], ALIASES: []}
    names = (file.name for file in files("farebox_ledger").joinpath("prices", folder).iterdir())
    for name in sorted(name for name in names if name.endswith(".csv")):
        path = f"{folder}/{name}"
        if name == "aliases.csv":
            rows[ALIASES] += _read(path, alias_row)
        elif name == "fallbacks.csv":
            rows[FALLBACKS] += _read(path, fallback_row)
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


def _key(table: _Table, row: Row) -> tuple[Any, ...]:
    return tuple(row[column] for column in table.key)


def _by_key(table: _Table, rows: Sequence[Row]) -> dict[tuple[Any, ...], Row]:
    found: dict[tuple[Any, ...], Row] = {}
    for row in rows:
        key = _key(table, row)
        if key in found:
            words = ", ".join(f"{column} {value}" for column, value in zip(table.key, key, strict=True) if value)
            raise BookError(f"the price book has two rows for {words}; remove one")
        found[key] = row
    return found


def _add(client: Client, table: _Table, rows: Sequence[Row], now: datetime) -> int:
    if rows:
        client.insert(
            table.name,
            [[*(row.get(column, "") for column in table.columns), now] for row in rows],
            column_names=[*table.columns, "added_at"],
        )
    return len(rows)


def _missing(client: Client, table: _Table, rows: Sequence[Row], files: Collection[str]) -> list[Row]:
    """Give the rows that the table lacks, or whose latest row says something else, or is of a file that is not read."""
    latest = ", ".join(f"argMax(tuple({column}), added_at).1" for column in table.content)
    file = "argMax(from_file, added_at)" if table.value else "''"
    key = ", ".join(table.key)
    held = client.query(f"SELECT {key}, {latest}, {file} FROM {table.name} GROUP BY {key}").result_rows  # noqa: S608
    width = len(table.key)
    known = {_comparable(row[:width]): (tuple(row[width:-1]), row[-1]) for row in held}
    missing = []
    for row in rows:
        content, of_file = known.get(_comparable(_key(table, row)), (None, ""))
        has_moved = bool(row.get("from_file")) and of_file not in files
        if has_moved or content != tuple(row[column] for column in table.content):
            missing.append(row)
    return missing


def _comparable(key: Iterable[Any]) -> tuple[Any, ...]:
    """Drop the time zone, which is UTC: the embedded engine does not say it for DateTime columns."""
    return tuple(value.replace(tzinfo=None) if isinstance(value, datetime) else value for value in key)
