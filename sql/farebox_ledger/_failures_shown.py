"""Shows failures to people: rates with their intervals and money, and two models side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from farebox_ledger._terminal import dollars, table

if TYPE_CHECKING:
    from rich.console import Console

    from farebox_ledger._comparison import Comparison
    from farebox_ledger._failures import FailureRate, Failures

__all__ = ["comparison_json", "interval", "percent", "show_comparison", "show_failures"]

ROWS_MAX = 12


def show_failures(failures: Failures, out: Console, *, everything: bool = False) -> None:
    """Print what failed, most frequent first: detectors alone and the first ROWS_MAX, or everything by group."""
    rates = [each for each in failures.rates if each.key is not None]
    if not everything:
        rates = sorted((each for each in rates if each.failed and not each.is_kind), key=lambda each: -each.failed)
    if not rates:
        return
    shown = rates if everything else rates[:ROWS_MAX]
    headings = [(name, False) for name in failures.by]
    headings += [("failure", False), ("of", True), ("failed", True), ("rate", True), ("95 % interval", True)]
    headings += [("spend on them", True), ("not checked", True)]
    out.print("\nFailures, over the answers (or tool calls) that were checked for them", style="dim")
    out.print(table(headings, [_cells(each, failures) for each in shown]))
    if len(shown) < len(rates):
        out.print(f"… and {len(rates) - len(shown)} more rows (--failures lists all, with their kinds)")
    once = failures.cost_of(None, "any")
    if once is not None:
        note = f", {once.unpriced:,} of them not priced" if once.unpriced else ""
        spend = dollars(once.spend, once.is_lower_bound)
        out.print(f"Any of them: {once.answers:,} answers{note}, {spend}; one of two failures counts once here.")


def _cells(each: FailureRate, failures: Failures) -> list[str]:
    cost = failures.cost_of(each.key, each.failure)
    return [
        *(part or "(none)" for part in each.key or ()),
        each.failure,
        f"{each.checked:,} {each.unit}s",
        f"{each.failed:,}",
        percent(each.rate),
        interval(each.low, each.high),
        dollars(cost.spend, cost.is_lower_bound) if cost else "",
        f"{each.not_checked:,}" if each.not_checked else "",
    ]


def show_comparison(models: tuple[str, str], compared: Mapping[str, Comparison], out: Console) -> None:
    """Print two models' failures side by side, what differs first."""
    if not compared:
        out.print("\nNo answer of both models was checked for the same failure in this period.")
        return
    headings: Sequence[tuple[str, bool]] = [
        ("failure", False), (models[0], True), (models[1], True), ("difference", True), ("95 % interval", True),
        ("p", True), ("verdict", False),
    ]  # fmt: skip
    order = sorted(compared.items(), key=lambda item: (item[1].verdict != "different", item[0]))
    out.print(f"\n{models[0]} against {models[1]}: failed of checked", style="dim")
    out.print(table(headings, [_compared(failure, each) for failure, each in order]))
    if len(compared) > 1:
        out.print("Of twenty rows in which nothing differs, one will say that something does.")


def _compared(failure: str, each: Comparison) -> list[str]:
    verdict: str = each.verdict
    if verdict == "too little data":
        verdict += f"; {each.enough:,} each would show a doubling" if each.enough else ": neither failed"
    return [
        failure,
        f"{each.a.failed:,} of {each.a.checked:,}",
        f"{each.b.failed:,} of {each.b.checked:,}",
        percent(each.difference, signed=True),
        interval(each.low, each.high, signed=True),
        "" if each.p_value is None else f"{each.p_value:.3f}" if each.p_value >= 0.001 else "< 0.001",
        verdict,
    ]


def comparison_json(models: tuple[str, str], compared: Mapping[str, Comparison]) -> list[dict[str, object]]:
    """Give the comparisons as plain data."""
    return [
        {
            "failure": failure,
            "models": list(models),
            "failed": [each.a.failed, each.b.failed],
            "checked": [each.a.checked, each.b.checked],
            "difference": each.difference,
            "low": each.low,
            "high": each.high,
            "p_value": each.p_value,
            "test": each.test,
            "verdict": each.verdict,
            "enough": each.enough,
        }
        for failure, each in compared.items()
    ]


def percent(part: float | None, *, signed: bool = False) -> str:
    """Write a share as a percentage of two digits after the point, which rates of failures need."""
    return "–" if part is None else f"{part:+.2%}" if signed else f"{part:.2%}"


def interval(low: float | None, high: float | None, *, signed: bool = False) -> str:
    """Write an interval of shares."""
    return "–" if low is None else f"{percent(low, signed=signed)} to {percent(high, signed=signed)}"
