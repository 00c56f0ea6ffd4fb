"""Brings prices into a ledger: a CSV file of the user's, or what a newer genai-prices says.

An embedded ledger keeps the file beside its data and takes it up from there, whether `farebox up` holds it or nobody
does; into a server's ledger the rows go at once.
"""

from __future__ import annotations

import csv
import os
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path

from farebox_ledger._book import ALIASES, PRICES, book_rows, is_loaded, missing_rows, sync_book
from farebox_ledger._book_ends import endings
from farebox_ledger._book_own import (
    ALIAS_FILE,
    ALIAS_KEYS,
    CATALOGUE_FILE,
    IMPORTS,
    PRICE_COLUMNS,
    OwnBook,
    own_files,
    read_price_file,
)
from farebox_ledger._book_rows import PriceRow, Row, alias_row, price_row
from farebox_ledger._dsn import Dsn
from farebox_ledger._lock import running
from farebox_ledger._store import open_reader, open_store
from farebox_ledger.errors import BookError

__all__ = ["Imported", "catalogue_news", "catalogue_rows", "import_prices"]

TAKEN_UP_S_MAX = 20.0
POLL_S = 0.2
FILE_MODE = 0o600


@dataclass(frozen=True)
class Imported:
    """What came of an import: rows read, and how many of them the book did not have yet.

    left: prices that former files of the same name had and this one has not; they were ended if that was asked for.
    """

    rows: int
    added: int
    left: int = 0


def catalogue_rows(day: date) -> tuple[str, list[PriceRow]]:
    """Read the installed genai-prices as rows of the book, less the keys for which our overlay has its own word.

    Raises:
        ModuleNotFoundError: it is not installed.
    """
    from importlib.metadata import version

    from farebox_ledger._book_from_genai_prices import read_catalogue

    own = {
        (row["provider"], row["region"], row["model"], row["variant"], row["unit"])
        for row in book_rows()[PRICES]
        if "genai-prices" not in row["source"]
    }
    rows = []
    for lines in read_catalogue(day.isoformat()).lines.values():
        for line in lines:
            fields = {key: "" if value is None else str(value) for key, value in vars(line).items()}
            row = price_row({**fields, "price": "" if line.price is None else format(line.price, "f")}, "imported")
            if (row.provider, row.region, row.model, row.variant, row.unit) not in own:
                rows.append(row)
    return f"genai-prices {version('genai-prices')}", rows


def catalogue_news(day: date) -> tuple[list[PriceRow], list[Row]]:
    """Read the prices and names of the installed genai-prices that the shipped book lacks or has otherwise.

    Raises:
        ModuleNotFoundError: it is not installed.
    """
    from farebox_ledger._book_from_genai_prices import ALIAS_COLUMNS, read_catalogue

    prices = {tuple(row[column] for column in PRICES.key[:-1]): row["price"] for row in book_rows()[PRICES]}
    names = {tuple(row[column] for column in ALIASES.key): row["value"] for row in book_rows()[ALIASES]}
    rows = [
        row
        for row in catalogue_rows(day)[1]
        if prices.get(tuple(getattr(row, column) for column in PRICES.key[:-1]), "none") != row.price
    ]
    found = [alias_row(dict(zip(ALIAS_COLUMNS, line, strict=True))) for line in read_catalogue(day.isoformat()).aliases]
    # A name that our overlay has its own word for stays as it is.
    return rows, [alias for alias in found if tuple(alias[column] for column in ALIASES.key) not in names]


def import_prices(
    dsn: Dsn, rows: Sequence[PriceRow], name: str, aliases: Sequence[Row] = (), *, replaces: bool = False
) -> Imported:
    """Bring prices and names into a ledger; when this returns, what is stored from now on has them.

    replaces: what former files of this name had, and this one has not, ends.

    Raises:
        LedgerError: the ledger cannot be reached, or its holder did not take the rows up in time.
    """
    own = OwnBook(prices=list(rows), aliases=list(aliases))
    if dsn.kind != "chdb":
        own.prices = [replace(row, from_file=name) for row in rows]
        with open_store(dsn) as store:
            gone = endings(store.client, PRICES, [vars(row) for row in own.prices], {name}, datetime.now(UTC))
            left = len(gone)
            own.files = {name} if replaces else set()
            return Imported(len(rows), sync_book(store.client, own) - (left if replaces else 0), left)
    folder = dsn.folder / IMPORTS
    former = [path for path in folder.glob("*.csv") if path.name.partition("-")[2] == name]
    left = len(_keys(row for path in former for row in read_price_file(path)) - _keys(rows))
    held = running(dsn) is not None
    if held:
        with open_reader(dsn) as client:
            added = missing_rows(client, own)
    _keep(folder, rows, name, aliases)
    if replaces:
        for path in former:  # a file that is there and empty ends what it had; one that is gone would say nothing
            _write(path, PRICE_COLUMNS, [])
    if held:
        _wait_until(lambda: _is_taken_up(dsn, own, {path.name for path in former if replaces}))
        return Imported(len(rows), added, left)
    with open_store(dsn) as store:
        return Imported(len(rows), store.prices_added - (left if replaces else 0), left)


def _keys(rows: Iterable[PriceRow]) -> set[tuple[str, ...]]:
    """Name what rows are prices of, whenever those begin; rows that end a price name nothing."""
    columns = [column for column in PRICES.key if column not in ("valid_from", "book")]
    return {tuple(getattr(row, column) for column in columns) for row in rows if row.price is not None}


def _is_taken_up(dsn: Dsn, own: OwnBook, emptied: set[str]) -> bool:
    with open_reader(dsn) as client:
        if missing_rows(client, own) or not is_loaded(client):
            return False
        kept = [vars(row) for path in own_files(dsn) if path.suffix == ".csv" for row in read_price_file(path)]
        return not endings(client, PRICES, kept, emptied, datetime.now(UTC))


def _wait_until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + TAKEN_UP_S_MAX
    while not true():
        if time.monotonic() >= deadline:
            raise BookError(
                f"the running `farebox up` has not taken the prices up within {TAKEN_UP_S_MAX:.0f} s; restart it"
            )
        time.sleep(POLL_S)


def _keep(folder: Path, rows: Sequence[PriceRow], name: str, aliases: Sequence[Row]) -> None:
    """Write files that a reader never sees half written; they are read in the order of their names, prices first."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    stem = f"{datetime.now(UTC):%Y%m%dT%H%M%S.%f}-{name}"
    if aliases:
        _write(folder / stem.replace(CATALOGUE_FILE, ALIAS_FILE), ALIAS_KEYS, aliases)
    if rows:
        _write(folder / stem, PRICE_COLUMNS, [_fields(row) for row in rows])


def _write(path: Path, columns: Sequence[str], lines: Sequence[Row]) -> None:
    draft = path.with_suffix(".draft")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, FILE_MODE), "w", newline="") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(lines)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def _fields(row: PriceRow) -> dict[str, str]:
    return {
        "provider": row.provider,
        "region": row.region,
        "model": row.model,
        "variant": row.variant,
        "unit": row.unit,
        "tier_above": str(row.tier_above),
        "price": "" if row.price is None else format(row.price, "f"),
        "per": "1",
        "currency": row.currency,
        "valid_from": "" if row.valid_from.year == 1970 else row.valid_from.date().isoformat(),
        "approximate": "approximate" if row.approximate else "",
        "checked_on": row.checked_on.isoformat(),
        "source": row.source,
        "note": row.note,
    }
