"""Looks at the price book with distrust: how old it is, what it lacks of what was seen, and who says otherwise."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from farebox_ledger._book_import import catalogue_rows
from farebox_ledger._book_own import OwnBook
from farebox_ledger._book_rows import OTHER_UNITS, UNITS
from farebox_ledger._period import Period
from farebox_ledger._prices import as_json, list_providers
from farebox_ledger._query import run_query

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

__all__ = ["Check", "Disagreement", "check_book", "disagreements"]

# A host that rounds its own figure differs by less than this share; one that has another price by more.
REPORTED_TOLERANCE = Decimal("0.01")


@dataclass(frozen=True)
class Disagreement:
    """One price that two sources give differently, for one unit in USD; None: that source has none."""

    provider: str
    model: str
    variant: str
    region: str
    tier_above: int
    unit: str
    book: Decimal | None
    other: Decimal | None


@dataclass
class Check:
    """What `farebox prices check` found; `bad` says in sentences what is bad news, empty if nothing is.

    kept: prices of the user's that hold although no file that is read here has them any more.
    """

    providers: Sequence[Mapping[str, Any]]
    seen: Sequence[Mapping[str, Any]] = ()
    unpriced: Sequence[Mapping[str, Any]] = ()
    reported: Sequence[Mapping[str, Any]] = ()
    disagreements: Sequence[Disagreement] = ()
    catalogue: str = ""
    kept: Sequence[Mapping[str, Any]] = ()
    bad: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Lay the check out for JSON; money is exact text."""
        return {
            "providers": [as_json(row) for row in self.providers],
            "seen": [as_json(row) for row in self.seen],
            "unpriced": [as_json(row) for row in self.unpriced],
            "reported": [as_json(row) for row in self.reported],
            "disagreements": [as_json(vars(each)) for each in self.disagreements],
            "catalogue": self.catalogue,
            "kept": [as_json(row) for row in self.kept],
            "bad_news": self.bad,
        }


def check_book(client: Client, period: Period, now: datetime, age_days_max: int, own: OwnBook | None = None) -> Check:
    """Check age, coverage of the period's traffic, hosts' own figures, and genai-prices if it is installed.

    own: what the user's files say now.
    """
    bounds = {"since": period.since, "until": period.until}
    check = Check(
        providers=list_providers(client),
        seen=run_query(client, "price_seen", bounds),
        unpriced=run_query(client, "price_coverage", bounds),
        reported=[row for row in run_query(client, "price_reported", bounds) if _is_off(row)],
    )
    check.kept = _kept(client, own or OwnBook(), now)
    check.catalogue, catalogue = _catalogue(now)
    held = _held(client, now)
    check.disagreements = list(disagreements(held, catalogue)) if catalogue else []
    check.bad += _sentences(check, now, age_days_max)
    return check


def disagreements(
    held: Mapping[tuple[Any, ...], Decimal | None], catalogue: Mapping[tuple[Any, ...], Decimal | None]
) -> Iterator[Disagreement]:
    """Give each price of the catalogue that the book has not, or has otherwise."""
    for key, price in sorted(catalogue.items(), key=lambda each: each[0]):
        if held.get(key) != price:
            provider, model, variant, region, tier_above, unit = key
            yield Disagreement(provider, model, variant, region, tier_above, unit, held.get(key), price)


def _sentences(check: Check, now: datetime, age_days_max: int) -> Iterator[str]:
    newest = max((row["newest_check"] for row in check.providers), default=date.min)
    age = (now.date() - newest).days
    if age > age_days_max:
        yield f"the book was last checked {age} days ago, on {newest}; upgrade farebox or run `farebox prices import`"
    if check.unpriced:
        attempts = sum(row["attempts"] for row in check.unpriced)
        models = {(row["provider"], row["model"]) for row in check.unpriced}
        yield f"{attempts:,} attempts of {len(models)} models have no price; add one to farebox.toml or import it"
    if check.reported:
        yield f"hosts report other costs than the book for {len(check.reported)} models"
    if check.disagreements:
        yield (
            f"{len(check.disagreements):,} prices differ from {check.catalogue}; "
            "`farebox prices import genai-prices` takes them over"
        )


def _is_off(row: Mapping[str, Any]) -> bool:
    ours, theirs = row["known_cost"] or Decimal(0), row["reported"] or Decimal(0)
    return bool(abs(ours - theirs) > REPORTED_TOLERANCE * max(ours, theirs))


def _kept(client: Client, own: OwnBook, now: datetime) -> list[dict[str, Any]]:
    """Read the user's prices that hold now, less those of the user's files: taking out a line ends no price."""
    columns = ("provider", "region", "model", "variant", "unit", "tier_above")
    said = {tuple(getattr(row, column) for column in columns) for row in own.prices}
    held = client.query(
        f"SELECT {', '.join(columns)}, argMax(tuple(price), (valid_from, checked_on, added_at)).1 AS held "  # noqa: S608
        "FROM prices WHERE book = 'user' AND valid_from <= {now:DateTime} GROUP BY ALL HAVING held IS NOT NULL "
        f"ORDER BY {', '.join(columns)}",
        {"now": now},
    )
    return [
        {**dict(zip(columns, row, strict=False)), "price": row[-1]}
        for row in held.result_rows
        if tuple(row[:-1]) not in said
    ]


def _held(client: Client, now: datetime) -> dict[tuple[Any, ...], Decimal | None]:
    """Read what the shipped and imported books say now, without the user's own and without what stands in."""
    rows = client.query(
        "SELECT provider, model, variant, region, tier_above, unit, "
        "argMax(tuple(price), (valid_from, checked_on, added_at)).1 FROM prices "
        "WHERE book != 'user' AND valid_from <= {now:DateTime} "
        "GROUP BY provider, model, variant, region, tier_above, unit",
        {"now": now},
    ).result_rows
    return {tuple(row[:-1]): row[-1] for row in rows if row[5] in (*UNITS, *OTHER_UNITS)}


def _catalogue(now: datetime) -> tuple[str, dict[tuple[Any, ...], Decimal | None]]:
    """Read what the installed genai-prices says now, less what our own overlay says otherwise on purpose."""
    try:
        source, rows = catalogue_rows(now.date())
    except ModuleNotFoundError:
        return "", {}
    found: dict[tuple[Any, ...], tuple[datetime, Decimal | None]] = {}
    for row in rows:
        key = (row.provider, row.model, row.variant, row.region, row.tier_above, row.unit)
        if row.valid_from <= now and (key not in found or row.valid_from > found[key][0]):
            found[key] = (row.valid_from, row.price)
    return source, {key: price for key, (_, price) in found.items()}
