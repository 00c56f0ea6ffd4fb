"""Errors of the ledger that a person reads.

FareboxError                exit code 2
└── LedgerError             the ledger cannot be reached, opened or understood
    ├── DsnError            the address of the ledger is unreadable
    ├── StoreHeldError      another process has the embedded store open
    ├── MigrationError      the schema is not what this farebox knows
    ├── BookError           a row of the price book is unreadable
    ├── BillError           a provider's bill is unreadable, or cannot be fetched
    └── QueryError          ClickHouse refused a statement
"""

from __future__ import annotations

import re

from farebox.errors import FareboxError

__all__ = [
    "BillError",
    "BookError",
    "DsnError",
    "LedgerError",
    "MigrationError",
    "QueryError",
    "StoreHeldError",
    "clickhouse_words",
]

WORDS_MAX = 500


class LedgerError(FareboxError):
    """The ledger cannot be reached, opened or understood."""


class DsnError(LedgerError):
    """The address of the ledger is unreadable."""


class StoreHeldError(LedgerError):
    """Another process has the embedded store open; only one may."""


class MigrationError(LedgerError):
    """The schema is not what this farebox knows."""


class BookError(LedgerError):
    """A row of the price book is unreadable; the message names its file and line."""


class BillError(LedgerError):
    """A provider's bill is unreadable, or cannot be fetched; the message names the file or address, and the place."""


class QueryError(LedgerError):
    """ClickHouse refused a statement; the message carries ClickHouse's own words."""


def clickhouse_words(error: BaseException) -> str:
    """Give what ClickHouse itself said, on one line, without its version and without our driver's framing."""
    words = " ".join(str(error).split())
    if "ConnectionPool" in words:  # no ClickHouse was reached: the network's own words say why
        why = re.search(r"\[Errno -?\d+\] ([\w ]+)|(timed out)", words)
        return why.group(0) if why else "no connection"
    words = re.sub(r"\s*\(version [^()]*(\([^()]*\)[^()]*)*\)", "", words)
    words = re.sub(r"\s*\(for url [^()]*\)$", "", words)
    words = re.sub(r"^.*?Code: (\d+)\.\s*(DB::Exception: )?", r"Code \1: ", words)
    return words if len(words) <= WORDS_MAX else words[:WORDS_MAX] + " …"
