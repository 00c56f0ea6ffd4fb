"""Reads what the ledger and the price book hold of a provider, in the shape that bills are compared in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from farebox_ledger._book_rows import UNITS
from farebox_ledger._query import run_query

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

__all__ = ["Attempts", "Book", "Ledger", "Units", "read_book", "read_ledger", "read_names"]


@dataclass(frozen=True)
class Units:
    """Units of one price in one hour; `cost` in USD after discounts, of what has a price."""

    hour: datetime
    workspace: str
    project: str
    key: str
    model: str
    tier: str
    unit: str
    currency: str
    price: Decimal | None
    units: Decimal
    cost: Decimal
    unpriced: Decimal
    charged: Decimal


@dataclass(frozen=True)
class Attempts:
    """Attempts of one hour: those with their usage, those of which none came, those that were cut."""

    hour: datetime
    workspace: str
    project: str
    key: str
    model: str
    tier: str
    reported: int
    missing: int
    cut: int


@dataclass(frozen=True)
class Ledger:
    """All that the ledger holds of one provider in a period; `lost` counts attempts that never came, by hour."""

    units: tuple[Units, ...]
    attempts: tuple[Attempts, ...]
    lost: Mapping[datetime, int]


@dataclass
class Book:
    """Prices of some models at one provider, for looking up by variant, unit and day."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    discounts: list[dict[str, Any]] = field(default_factory=list)

    def price(self, model: str, variant: str, unit: str, at: datetime, currency: str = "USD") -> Decimal | None:
        """Say what one unit costs after discounts; None if the book does not say."""
        for row in self.rows:
            if row["model"] == model and row["variant"] == variant and row["valid_from"] <= at <= row["valid_to"]:
                price = _of_unit(row, unit) if row["currency"] == currency else None
                if price is not None:
                    return price * self._factor(model, at)
        return None

    def variants(self, model: str) -> list[str]:
        """List the variants that have prices."""
        return sorted({row["variant"] for row in self.rows if row["model"] == model})

    def _factor(self, model: str, at: datetime) -> Decimal:
        for name in (model, ""):
            for row in self.discounts:
                if row["model"] == name and row["valid_from"] <= at <= row["valid_to"]:
                    return Decimal(row["factor"])
        return Decimal(1)


def read_ledger(client: Client, providers: Iterable[str], since: datetime, until: datetime) -> dict[str, Ledger]:
    """Read all that is recorded of some providers in a period."""
    names = sorted(set(providers))
    asked: dict[str, Any] = {"since": since, "until": until, "providers": names}
    units: dict[str, list[Units]] = {name: [] for name in names}
    attempts: dict[str, list[Attempts]] = {name: [] for name in names}
    lost: dict[str, dict[datetime, int]] = {name: {} for name in names}
    for row in run_query(client, "reconcile/recorded_units", asked):
        values = {name: row[name] for name in ("workspace", "project", "key", "model", "tier", "unit", "currency")}
        units[row["provider"]].append(
            Units(
                hour=_aware(row["hour"]),
                price=row["price"],
                units=Decimal(row["units"]),
                cost=row["cost"],
                unpriced=Decimal(row["unpriced_units"]),
                charged=row["charged"],
                **values,
            )
        )
    for row in run_query(client, "reconcile/recorded_attempts", asked):
        attempts[row.pop("provider")].append(Attempts(**{**row, "hour": _aware(row["hour"])}))
    for row in run_query(client, "reconcile/lost_numbers", {"since": since, "until": until}):
        for name in set(row["providers"]) & set(lost):
            hour = _aware(row["hour"])
            lost[name][hour] = lost[name].get(hour, 0) + int(row["numbers"])
    return {name: Ledger(tuple(units[name]), tuple(attempts[name]), lost[name]) for name in units}


def read_book(client: Client, provider: str, models: Iterable[str]) -> Book:
    """Read the prices of some models, as the book is now."""
    rows = run_query(client, "reconcile/book_prices", {"provider": provider, "models": sorted(set(models))})
    discounts = run_query(client, "reconcile/book_discounts", {"provider": provider})
    for row in (*rows, *discounts):
        row["valid_from"], row["valid_to"] = _aware(row["valid_from"]), _aware(row["valid_to"])
    return Book(rows, discounts)


def read_names(client: Client, provider: str, names: Iterable[str]) -> dict[str, tuple[str, str]]:
    """Lead names of a bill to the book's: as a model, and as a tier; no name leads to none."""
    wanted = sorted(set(names) - {""})
    rows = run_query(client, "reconcile/billed_names", {"provider": provider, "names": wanted}) if wanted else []
    return {row["name"]: (row["model"], row["tier"]) for row in rows} | {"": ("", "")}


def _of_unit(row: Mapping[str, Any], unit: str) -> Decimal | None:
    if unit in UNITS:
        price = Decimal(row["prices"][UNITS.index(unit)])
        return price if price >= 0 else None
    others = dict(zip(row["other_units"], row["other_prices"], strict=True))
    return Decimal(others[unit]) if unit in others else None


def _aware(at: datetime) -> datetime:
    return at if at.tzinfo else at.replace(tzinfo=UTC)
