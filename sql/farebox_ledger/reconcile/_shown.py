"""Shows a reconciliation to people: how each provider stands, and why, ranked by dollars."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from farebox_ledger._terminal import dollars, table

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["show"]

DAYS_MAX = 14
REASONS_MAX = 12
NOTHING = Decimal("1e-9")  # dollars that only exact arithmetic sees
STATES = {
    "matched": "matched",
    "under_recorded": "under-recorded",
    "over_recorded": "over-recorded",
    "not_comparable": "not comparable",
}


def show(told: Mapping[str, Any], console: Console) -> None:
    """Print a reconciliation as `reconcile` tells it."""
    for each in told["imported"]:
        console.print(
            f"{each['source']}: {each['lines']:,} lines of {each['provider']}, {each['says']}, "
            f"{each['covers_from'][:10]} to before {each['covers_until'][:10]}"
            + ("" if told["kept"] else "; not kept"),
            style="dim",
        )
    if not told["providers"]:
        console.print(
            "No bill speaks of a day of these that is over; give a file, --fetch one, or compare --today too."
        )
        return
    _show_providers(told["providers"], console)
    for each in told["providers"]:
        _show_reasons(each, console)
        _show_days(each, console)
        for note in each["notes"]:
            console.print(f"  {note}", markup=False, soft_wrap=True)
    console.print(_verdict(told), markup=False, soft_wrap=True)


def _show_providers(providers: Sequence[Mapping[str, Any]], console: Console) -> None:
    counted = {"matched": "matched", "under_recorded": "under", "over_recorded": "over"}
    if any("not_comparable" in each["cells"] for each in providers):
        counted["not_comparable"] = "not comparable"
    headings = [
        ("provider", False),
        ("days", True),
        *((name, True) for name in ("billed", "recorded", "difference", *counted.values())),
    ]
    rows = [
        [
            each["provider"],
            f"{len(each['days'])}",
            *(_money(each[name]) for name in ("billed", "recorded", "difference")),
            *(_cells(each, state) for state in counted),
        ]
        for each in providers
    ]
    console.print(table(headings, rows))
    console.print("matched, under and over count cells of a day, model, tier and unit", style="dim")


def _cells(provider: Mapping[str, Any], state: str) -> str:
    return f"{provider['cells'].get(state, {'count': 0})['count']:,}"


def _show_reasons(provider: Mapping[str, Any], console: Console) -> None:
    if not provider["reasons"]:
        return
    console.print(f"\n{provider['provider']}: why, by dollars", style="dim")
    rows = [
        [
            reason["reason"],
            _money(reason["difference"], reason["currency"]),
            _money(reason["size"], reason["currency"]),
            _days(reason["days"]),
            ", ".join(filter(None, reason["models"])),
            reason["meaning"] + (f": {reason['evidence'][0]}" if reason["evidence"] else ""),
        ]
        for reason in provider["reasons"][:REASONS_MAX]
    ]
    headings = [
        ("reason", False),
        ("difference", True),
        ("about", True),
        ("days", False),
        ("models", False),
        ("", False),
    ]
    console.print(table(headings, rows))


def _show_days(provider: Mapping[str, Any], console: Console) -> None:
    days: dict[str, list[Mapping[str, Any]]] = {}
    for each in provider["by_day"]:
        days.setdefault(each["day"], []).append(each)
    off = {day: rows for day, rows in days.items() if any(row["state"] != "matched" for row in rows)}
    for day, rows in list(off.items())[:DAYS_MAX]:
        state = next(row["state"] for row in rows if row["state"] != "matched")
        billed, recorded = (_moneys(rows, name) for name in ("billed", "recorded"))
        reasons = ", ".join(dict.fromkeys(row["reason"] for row in rows if row["reason"]))
        console.print(
            f"  {day}  {STATES[state]}: billed {billed}, recorded {recorded}" + (f", {reasons}" if reasons else ""),
            markup=False,
        )
    if len(off) > DAYS_MAX:
        console.print(f"  … and {len(off) - DAYS_MAX} more days (--json lists them)", markup=False)


def _moneys(rows: Sequence[Mapping[str, Any]], name: str) -> str:
    """Name the amounts of a day, each in its currency; what is not known, or nothing, only where there is no other."""
    told = [_money(row[name], row["currency"]) for row in rows if row[name] is not None and Decimal(row[name])]
    return " and ".join(told) or _money(rows[0][name], rows[0]["currency"])


def _days(days: Sequence[str]) -> str:
    return days[0] if len(days) == 1 else f"{days[0]} … {days[-1]}"


def _money(amount: str | None, currency: str = "USD") -> str:
    if amount is None:
        return "–"
    if currency == "USD":
        value = Decimal(amount)
        if value and abs(value) < NOTHING:
            return "≈ $0"
        return f"-{dollars(-value)}" if value < 0 else dollars(value)
    return f"{Decimal(amount):,.2f} {currency}"


def _verdict(told: Mapping[str, Any]) -> str:
    tolerance = f"{Decimal(told['tolerance']) * 100:f}".rstrip("0").rstrip(".")
    bad = [each["provider"] for each in told["providers"] if not each["matched"]]
    if bad:
        return f"\n✗ Bill and ledger differ by more than {tolerance} %, or cannot be compared: {', '.join(bad)}."
    return f"\n✓ Bills and ledger agree within {tolerance} %."
