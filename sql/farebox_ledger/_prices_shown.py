"""Prints what `farebox prices` found, for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from farebox_ledger._prices import HEADINGS, QUOTED_FOR
from farebox_ledger._terminal import console, dollars, share, table

if TYPE_CHECKING:
    from farebox_ledger._book_check import Check
    from farebox_ledger._commitments import Commitment
    from farebox_ledger._prices import Known

__all__ = ["print_check", "print_commitments", "print_ended", "print_known", "print_prices", "print_providers"]

LINES_MAX = 12


def print_providers(providers: Sequence[Mapping[str, Any]]) -> None:
    """Print a row a provider."""
    out = console()
    headings = [("provider", False), *((name, True) for name in ("models", "prices", "of your own", "approximate"))]
    rows = [
        [
            row["provider"],
            *(f"{row[name]:,}" for name in ("models", "prices", "own_prices", "approximate")),
            f"{row['newest_check']}",
        ]
        for row in providers
    ]
    out.print(table([*headings, ("checked", False)], rows))
    out.print("List one with --provider, or find a model with --model.", style="dim")


def print_prices(rows: Sequence[Mapping[str, Any]]) -> None:
    """Print a row a key and context tier, with the columns that hold something."""
    out = console()
    if not rows:
        out.print("No price of the book fits.")
        return
    units = [unit for unit in HEADINGS if any(row[unit] is not None for row in rows)]
    names = [("provider", False), ("model", False), ("variant", False), ("region", False), ("above", True)]
    headings = [*names, *((HEADINGS[unit], True) for unit in units), ("from", False), ("", False)]
    out.print(table(headings, ([*_key_cells(row), *_price_cells(row, units)] for row in rows)))
    out.print(
        f"{len(rows):,} row{'' if len(rows) == 1 else 's'}; ≈ is not the provider's own page; above is total input",
        style="dim",
    )


def _key_cells(row: Mapping[str, Any]) -> list[str]:
    above = f"{row['tier_above']:,}" if row["tier_above"] else ""
    return [row["provider"], row["model"], row["variant"], row["region"], above]


def _price_cells(row: Mapping[str, Any], units: Sequence[str]) -> list[str]:
    cells = []
    for unit in units:
        price = row[unit]
        sign = "$" if row["currency"] == "USD" else f"{row['currency']} "
        cells.append("" if price is None else f"{sign}{_short(price * QUOTED_FOR[unit])}")
    begins = "" if row["valid_from"].year == 1970 else f"{row['valid_from']:%Y-%m-%d}"
    return [*cells, begins, "≈" if row["approximate"] else ""]


def _short(amount: Any) -> str:
    text = format(amount.normalize(), "f")
    whole, _, cents = text.partition(".")
    return f"{whole}.{cents.ljust(2, '0')}"


def print_known(name: str, known: Known) -> None:
    """Print what one model costs, by whose word, and what ended of the user's."""
    out = console()
    renamed = "" if name.lower() == known.model else f", the book's name of {name}"
    out.print(f"{known.model} of {known.provider}{renamed}", style="bold")
    print_prices(known.prices)
    latest = {
        (row["source"], row["note"], str(row["checked_on"]), row["book"])
        for row in known.history
        if row["price"] is not None
    }
    for source, note, day, book in sorted(latest):
        whose = {"user": "your own, ", "imported": "imported, "}.get(book, "")
        out.print(f"  {whose}{source}, checked {day}{': ' + note if note else ''}", style="dim")
    print_ended(known.ended)
    out.print()


def print_ended(ended: Sequence[Mapping[str, Any]]) -> None:
    """Print what of the user's prices ended, since when and why."""
    out = console()
    for row in ended:
        key = " ".join(part for part in (row["variant"], row["region"] and f"in {row['region']}") if part)
        was = "" if row["former"] is None else f" ({row['currency']} {_short(row['former'] * QUOTED_FOR[row['unit']])})"
        why = f": {row['why'].removeprefix('ended: ')}" if row["why"] else ""
        out.print(
            f"  your own price of {row['model']} of {row['provider']}{' ' + key if key else ''}, "
            f"{HEADINGS[row['unit']]}{was}, ended {row['ended_at']:%Y-%m-%d %H:%M}{why}",
            style="dim",
        )


def print_commitments(found: Sequence[Commitment]) -> None:
    """Print what is used of what was promised."""
    out = console()
    if not found:
        out.print("Nothing is promised; write [[commitments]] into farebox.toml.", markup=False)
        return
    headings = [("provider", False), ("commitment", False), ("from", False), ("to before", False)]
    rows = [
        [
            each.provider,
            each.name,
            f"{each.starts}",
            f"{each.ends}",
            f"{each.amount:,.2f} {each.currency}",
            f"{'≥ ' if each.at_least else ''}{each.spent:,.2f}",
            share(float(each.spent / each.amount)) if each.amount else "–",
            "–" if each.forecast is None else f"{each.forecast:,.2f}",
            f"{each.shortfall:,.2f}" if each.shortfall else "",
        ]
        for each in found
    ]
    sums = [(name, True) for name in ("promised", "spent", "used", "at this pace", "short by")]
    out.print(table([*headings, *sums], rows))
    out.print("Spent is after discounts; the pace is that of the last 28 days. ≥ marks a lower bound.", style="dim")


def print_check(check: Check, period: str) -> None:
    """Print what a check found, and whether that is bad news."""
    out = console()
    oldest = min((row["oldest_check"] for row in check.providers), default="–")
    newest = max((row["newest_check"] for row in check.providers), default="–")
    prices = sum(row["prices"] for row in check.providers)
    out.print(f"{prices:,} prices of {len(check.providers)} providers, checked between {oldest} and {newest}.")
    attempts = sum(row["attempts"] for row in check.seen)
    unpriced = sum(row["attempts"] for row in check.unpriced)
    out.print(
        f"{attempts:,} attempts of {len(check.seen)} models, {period}: {unpriced:,} without a price, "
        f"{sum(row['approximate'] for row in check.seen):,} at an approximate one."
    )
    for row in check.unpriced[:LINES_MAX]:
        out.print(f"  {row['attempts']:>7,}  {row['price_reason']}")
    if check.reported:
        headings = [("provider", False), ("model", False), ("attempts", True), ("book", True), ("host", True)]
        rows = [
            [
                row["provider"],
                row["model"],
                f"{row['attempts']:,}",
                dollars(row["known_cost"]),
                dollars(row["reported"]),
            ]
            for row in check.reported
        ]
        out.print(table(headings, rows))
    if check.catalogue:
        out.print(f"{len(check.disagreements):,} prices differ from {check.catalogue}.")
        for each in check.disagreements[:LINES_MAX]:
            where = " ".join(part for part in (each.variant, each.region and f"in {each.region}") if part)
            ours, theirs = ("none" if price is None else format(price, "f") for price in (each.book, each.other))
            out.print(f"  {each.provider}/{each.model} {where} {each.unit}: book {ours}, {check.catalogue} {theirs}")
    else:
        out.print("genai-prices is not installed, so the book was compared with nothing.")
    for row in check.kept[:LINES_MAX]:
        where = " ".join(str(row[name]) for name in ("variant", "region") if row[name])
        out.print(
            f"  {row['provider']}/{row['model']} {where} {row['unit']}: {row['price']:f}, in none of your files here"
        )
    if check.kept:
        out.print(
            f"{len(check.kept):,} prices of your own hold though no file here has them: an entry ends when it is taken "
            "out of its file, not with the file; an empty price with the day it ends on ends it too."
        )
    for sentence in check.bad:
        out.print(f"✗ {sentence}")
    if not check.bad:
        out.print("✓ nothing to worry about")
