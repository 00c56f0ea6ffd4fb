"""Brings prices into a ledger: a CSV file of the user's, or what a newer genai-prices says.

An embedded ledger keeps the file beside its data and takes it up from there, whether `farebox up` holds it or nobody
does; into a server's ledger the rows go at once.
"""

from __future__ import annotations

import csv
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from farebox_ledger._book import PRICES, book_rows, is_loaded, missing_rows, sync_book
from farebox_ledger._book_own import IMPORTS, PRICE_COLUMNS, OwnBook, read_price_file
from farebox_ledger._book_rows import PriceRow, price_row
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
    """What came of an import: rows read, and how many of them the book did not have yet."""

    rows: int
    added: int


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


def catalogue_news(day: date) -> list[PriceRow]:
    """Read the rows of the installed genai-prices that the shipped book lacks or has otherwise."""
    shipped = {
        (
            row["provider"],
            row["region"],
            row["model"],
            row["variant"],
            row["unit"],
            row["tier_above"],
            row["valid_from"],
        ): (row["price"])
        for row in book_rows()[PRICES]
    }
    return [
        row
        for row in catalogue_rows(day)[1]
        if shipped.get(
            (row.provider, row.region, row.model, row.variant, row.unit, row.tier_above, row.valid_from), "none"
        )
        != row.price
    ]


def import_prices(dsn: Dsn, rows: Sequence[PriceRow], name: str) -> Imported:
    """Bring rows into a ledger; when this returns, what is stored from now on has their prices.

    Raises:
        LedgerError: the ledger cannot be reached, or its holder did not take the rows up in time.
    """
    own = OwnBook(prices=list(rows))
    if dsn.kind != "chdb":
        with open_store(dsn) as store:
            return Imported(len(rows), sync_book(store.client, own))
    held = running(dsn) is not None
    if held:
        with open_reader(dsn) as client:
            added = missing_rows(client, own)
    _keep(dsn.folder / IMPORTS, rows, name)
    if held:
        _wait_until(lambda: _is_taken_up(dsn, own))
        return Imported(len(rows), added)
    with open_store(dsn) as store:
        return Imported(len(rows), store.prices_added)


def _is_taken_up(dsn: Dsn, own: OwnBook) -> bool:
    with open_reader(dsn) as client:
        return missing_rows(client, own) == 0 and is_loaded(client)


def _wait_until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + TAKEN_UP_S_MAX
    while not true():
        if time.monotonic() >= deadline:
            raise BookError(
                f"the running `farebox up` has not taken the prices up within {TAKEN_UP_S_MAX:.0f} s; restart it"
            )
        time.sleep(POLL_S)


def _keep(folder: Path, rows: Sequence[PriceRow], name: str) -> None:
    """Write the rows as a file that a reader never sees half written; files are read in the order of their names."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / f"{datetime.now(UTC):%Y%m%dT%H%M%S.%f}-{name}"
    draft = path.with_suffix(".draft")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, FILE_MODE), "w", newline="") as file:
        writer = csv.DictWriter(file, PRICE_COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(_fields(row) for row in rows)
        file.flush()
        os.fsync(file.fileno())
    read_price_file(draft)  # what was written must be what was read
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
