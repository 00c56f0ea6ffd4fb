"""What every bill is read into: lines of one shape, exact, and the export that they come from."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from hashlib import sha256
from typing import Any

from farebox_ledger.errors import BillError

__all__ = [
    "ANY_INPUT",
    "ANY_WRITE",
    "DAY",
    "Bill",
    "Line",
    "day_start",
    "make_bill",
    "moment",
    "number",
    "read_json",
    "text_of",
]

DAY = timedelta(days=1)
# Units that a bill names together: all kinds of input, all cache writes.
ANY_INPUT = "input_tokens"
ANY_WRITE = "cache_write_tokens"
DIGITS_MAX = 40
# What the names of formats that say only one of both end with.
SAID = {"usage": "usage", "cost": "cost", "costs": "cost"}


@dataclass(frozen=True)
class Line:
    """One line of a bill; empty texts are what it does not say.

    `unit` is a usage leaf, `input_tokens` for all input together, `cache_write_tokens` for all cache writes
    together, or empty for everything. `quantity` in units and `amount` in `currency` are None if not said.
    """

    start: datetime
    end: datetime
    model: str = ""
    unit: str = ""
    quantity: Decimal | None = None
    amount: Decimal | None = None
    currency: str = "USD"
    service_tier: str = ""
    region: str = ""
    organization: str = ""
    workspace: str = ""
    project: str = ""
    key_id: str = ""
    description: str = ""
    line_id: str = ""


@dataclass(frozen=True)
class Bill:
    """One export: what it says (usage, cost or both), and the time it speaks for, `start` to before `end`."""

    provider: str
    bill_id: str
    format: str
    start: datetime
    end: datetime
    source: str
    lines: tuple[Line, ...] = field(repr=False)

    @property
    def says(self) -> str:
        """Tell whether it names quantities (usage), amounts (cost) or both; one without lines, by its format."""
        if not self.lines:
            return SAID.get(self.format.rpartition("-")[2], "both")
        usage = any(line.quantity is not None for line in self.lines)
        cost = any(line.amount is not None for line in self.lines)
        return "both" if usage == cost else "usage" if usage else "cost"


def make_bill(
    provider: str,
    format_name: str,
    source: str,
    lines: Iterable[Line],
    covers: tuple[datetime, datetime] | None = None,
) -> Bill:
    """Put lines together; without `covers` they speak for the days from their first to their last.

    Raises:
        BillError: there is no line, and so no time that the bill speaks for.
    """
    found = tuple(lines)
    if covers is None:
        if not found:
            raise BillError(f"{source} holds no line of a bill; export a period in which something was billed")
        covers = day_start(min(line.start for line in found)), _day_end(max(line.end for line in found))
    # The content, not the name, tells one export from another: the same file twice is the same bill.
    said = repr((provider, format_name, covers, found)).encode()
    return Bill(provider, f"{source} {sha256(said).hexdigest()[:12]}", format_name, *covers, source, found)


def number(value: object, name: str) -> Decimal | None:
    """Read a number exactly; None and empty text are not said.

    Raises:
        ValueError: it is no number; names it.
    """
    if value is None or value == "":
        return None
    if isinstance(value, bool) or not isinstance(value, int | str | Decimal):
        raise ValueError(f"{name} is {value!r}, which is no number")
    text = str(value).strip().replace(",", "") if isinstance(value, str) else str(value)
    try:
        found = Decimal(text.removeprefix("$"))
    except InvalidOperation:
        raise ValueError(f"{name} is {value!r}, which is no number") from None
    if not found.is_finite() or found.adjusted() > DIGITS_MAX or found.adjusted() < -DIGITS_MAX:
        raise ValueError(f"{name} is {value!r}, which is no number that a bill can hold")
    return found


def moment(value: object, name: str, zone_h: Decimal = Decimal(0)) -> datetime:
    """Read a time: seconds since 1970, a day, or a moment; one without a zone is `zone_h` hours ahead of UTC.

    Raises:
        ValueError: it is no time; names it.
    """
    try:
        if isinstance(value, int | Decimal) and not isinstance(value, bool):
            return datetime.fromtimestamp(int(value), UTC)
        if isinstance(value, datetime):  # a column of a Parquet file
            return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
        if not isinstance(value, str):
            raise ValueError
        text = value.strip().removesuffix(" UTC")
        if text.isdecimal() and len(text) >= 9:
            return datetime.fromtimestamp(int(text), UTC)
        found = datetime.fromisoformat(text)
    except (ValueError, OverflowError, OSError):
        raise ValueError(f"{name} is {value!r}, which is no time; write 2026-11-23 or 2026-11-23T12:00:00Z") from None
    if found.tzinfo is None:
        found = found.replace(tzinfo=UTC) - timedelta(hours=float(zone_h))
    return found.astimezone(UTC)


def read_json(text: str, source: str) -> Any:
    """Read JSON with its decimals exact.

    Raises:
        BillError: it is no JSON; names the source and the place.
    """
    try:
        return json.loads(text, parse_float=Decimal)
    except ValueError as error:
        raise BillError(f"{source} is no JSON: {error}; export it again") from None


def day_start(at: date) -> datetime:
    """Give the first second of a day, UTC."""
    return datetime(at.year, at.month, at.day, tzinfo=UTC)


def text_of(row: Mapping[str, Any], *names: str) -> str:
    """Give the first of some fields that says something."""
    return next((str(row[name]) for name in names if row.get(name) not in (None, "")), "")


def _day_end(at: datetime) -> datetime:
    return day_start(at) if at == day_start(at) else day_start(at) + DAY
