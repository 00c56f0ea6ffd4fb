"""Says how much of what was promised to a provider is used, and what it comes to at the pace of the last weeks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal, localcontext
from typing import TYPE_CHECKING, Any

from farebox_ledger._query import run_query

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

__all__ = ["Commitment", "read_commitments"]

PACE_DAYS = 28
DIGITS = 60


@dataclass(frozen=True)
class Commitment:
    """One promise: `amount` in `currency`, from `starts` to before `ends`, and what is spent of it after discounts.

    `spent` is a lower bound where calls are unpriced or cut. `forecast` is what it comes to if the days that are left
    cost what the last 28 did; None before there was a whole day.
    """

    provider: str
    name: str
    starts: date
    ends: date
    amount: Decimal
    currency: str
    note: str
    spent: Decimal
    forecast: Decimal | None
    unpriced: int
    partial: int

    @property
    def shortfall(self) -> Decimal:
        """Give how much of the promise stays unused, and is paid all the same, at this pace."""
        return max(self.amount - (self.spent if self.forecast is None else self.forecast), Decimal(0))

    @property
    def at_least(self) -> bool:
        """Tell whether what is spent is a lower bound."""
        return bool(self.unpriced or self.partial)

    def as_json(self) -> dict[str, Any]:
        """Lay it out for JSON; money is exact text."""
        told: dict[str, Any] = {**vars(self), "shortfall": self.shortfall, "at_least": self.at_least}
        return {
            name: value if isinstance(value, bool | int | str) or value is None else _text(value)
            for name, value in told.items()
        }


def read_commitments(client: Client, today: date) -> list[Commitment]:
    """Read what is promised, ended promises too, and what is used of it.

    Raises:
        QueryError: ClickHouse refused the question.
    """
    since = today - timedelta(days=PACE_DAYS)
    rows = run_query(client, "price_commitments", {"today": today, "pace_since": since})
    found = []
    with localcontext(prec=DIGITS):
        for row in rows:
            lately, spent = row.pop("spent_lately") or Decimal(0), row.pop("spent") or Decimal(0)
            days = (min(row["ends"], today) - max(row["starts"], since)).days
            left = max((row["ends"] - max(today, row["starts"])).days, 0)
            forecast = spent if not left else spent + lately / days * left if days > 0 else None
            found.append(Commitment(**row, spent=spent, forecast=None if forecast is None else round(forecast, 2)))
    return found


def _text(value: Decimal | date) -> str:
    if isinstance(value, date):
        return value.isoformat()
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
