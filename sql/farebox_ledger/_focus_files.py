"""Writes FOCUS rows to files: CSV with plain decimals, or Parquet with exact ones."""

from __future__ import annotations

import csv
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from decimal import Decimal, localcontext
from pathlib import Path
from typing import Any

from farebox_ledger.errors import LedgerError

__all__ = ["FORMATS", "write_rows"]

FORMATS = ("csv", "parquet")
DIGITS = 60
# Decimals of amounts: a price has 12, a discount 8.
SCALE = 20
PRECISION = 38


def write_rows(path: Path, columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> None:
    """Write a file whole or not at all, in the format that its name ends with.

    Raises:
        LedgerError: it cannot be written.
    """
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".parquet":
            _parquet(draft, columns, rows)
        else:
            _csv(draft, columns, rows)
        draft.replace(path)
    except OSError as error:
        raise LedgerError(f"{path} cannot be written: {error.strerror}; name another folder with --out") from None
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)


def _csv(path: Path, columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows([_text(row[column]) for column in columns] for row in rows)


def _text(value: Any) -> str:
    """Write a value as FOCUS does: plain decimals, times in UTC with a Z, nothing for null."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%SZ")
    if isinstance(value, Decimal):
        with localcontext(prec=DIGITS):
            text = f"{value:f}"
        return text.rstrip("0").rstrip(".") if "." in text else text
    return str(value)


def _parquet(path: Path, columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> None:
    import pyarrow
    import pyarrow.parquet as parquet

    counts = {"x_CallCount", "x_IncompleteCallCount", "x_UnpricedCallCount"}
    fields = []
    for column in columns:
        if column.endswith(("PeriodStart", "PeriodEnd")):
            kind = pyarrow.timestamp("s", tz="UTC")
        elif column in counts:
            kind = pyarrow.int64()
        elif column.endswith(("Cost", "UnitPrice", "Quantity")):
            kind = pyarrow.decimal128(PRECISION, SCALE)
        else:
            kind = pyarrow.string()
        fields.append(pyarrow.field(column, kind))
    with localcontext(prec=DIGITS):
        data = [{column: _scaled(row[column]) for column in columns} for row in rows]
    parquet.write_table(pyarrow.Table.from_pylist(data, schema=pyarrow.schema(fields)), path)


def _scaled(value: Any) -> Any:
    return value.quantize(Decimal(1).scaleb(-SCALE)) if isinstance(value, Decimal) else value
