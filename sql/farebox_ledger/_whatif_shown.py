"""Shows what a what-if answers: now beside then, with ranges, where the tables turn, and all that is assumed."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from farebox_ledger._terminal import dollars, share, table
from farebox_ledger._whatif import MARGIN, Answer
from farebox_ledger._whatif_ask import Advice, Lifetime
from farebox_ledger._whatif_tokens import Estimate

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["show_advice", "show_answer", "show_lifetimes"]

WORDS = {
    "thin": "The evidence is too thin to say",
    "cheaper": "A success would cost less",
    "dearer": "A success would cost more",
    "unclear": "It may be either: the range holds what a success costs now",
}
REST_MAX = 5
HEADINGS = ("route", "to")
NUMBERS = ("saves a month", "range", "success now", "then", "cheaper", "as good")


def show_answer(answer: Answer, out: Console) -> None:
    """Print one answer."""
    part = "" if answer.share == 1 else f", {answer.share:.0%} of its tasks"
    out.print(
        f"{answer.route} → {answer.target}{part}: {answer.tasks:,} tasks, {answer.moved_calls:,} calls would move"
    )
    now, then = answer.now, answer.then
    rows = [
        ["a success costs", dollars(_money(now.per_success.value), answer.at_least), *_usd(then.per_success)],
        ["all tasks cost", dollars(_money(now.spend.value), answer.at_least), *_usd(then.spend)],
        ["tasks that succeed", f"{now.successes.value:,.0f}", *_counts(then.successes)],
        ["calls that fail", share(now.fails.value), *_shares(then.fails)],
        ["cache hits", share(now.hit_rate.value), *_shares(then.hit_rate)],
    ]
    out.print(table([("", False), ("now", True), ("then", True), ("range", True)], rows))
    out.print(f"{WORDS[answer.verdict]}{': ' + '; '.join(answer.thin) if answer.thin else ''}.")
    saved = answer.saved_a_month
    verb = "saves" if saved.value >= 0 else "costs"
    low, high = (saved.low, saved.high) if saved.value >= 0 else (-saved.high, -saved.low)
    out.print(f"It {verb} {dollars(abs(_money(saved.value)))} a month ({_signed(low)} to {_signed(high)}).")
    out.print(
        f"Confidence: {answer.cheaper:.0%} that a success costs less, {answer.as_good:.0%} that at most {MARGIN:.0%} "
        "fewer tasks succeed."
    )
    out.print(_breakeven("failure rate", answer.breakeven_fails, then.fails.value))
    out.print(_breakeven("cache hit rate", answer.breakeven_hits, then.hit_rate.value))
    out.print("Taken as given:")
    for line in answer.basis:
        out.print(f"  {line}", style="dim", markup=False)


def show_advice(advice: Advice, out: Console) -> None:
    """Print the changes to make, those to try with a part of the traffic, and the next best."""
    for title, answers in (
        ("Change: cheaper a success, at equal or better success, with 95 % confidence", advice.change),
        ("Try with a part of the traffic (--to …,share=0.1): likely, not sure", advice.test),
    ):
        out.print(title, style="dim")
        out.print(_ranking(answers) if answers else "  nothing")
    looked_at = len(advice.change) + len(advice.test) + len(advice.rest)
    saving = [each for each in advice.rest if each.saved_a_month.value > 0]
    out.print(
        f"Looked at {looked_at:,} changes. Of the others {len(saving):,} would save money, but it is not likely enough "
        "that as many tasks succeed, or they rest on too little:"
        if saving
        else f"Looked at {looked_at:,} changes; none of the others would save money."
    )
    if saving:
        out.print(_ranking(saving[:REST_MAX]))
        for each in saving[:REST_MAX]:
            if each.thin:
                out.print(f"  {each.route} → {each.target}: {each.thin[0]}", style="dim", markup=False)
    if advice.change or advice.test or saving:
        out.print(
            "success: share of tasks; cheaper and as good: chance that a success costs less, and that at most "
            f"{MARGIN:.0%} fewer tasks succeed. One change in full: farebox whatif --route ROUTE --to MODEL@PROVIDER",
            style="dim",
        )


def show_lifetimes(lifetimes: Sequence[Lifetime], out: Console) -> None:
    """Print what calls cost as recorded, and with marks of each lifetime."""
    names = {"now": "as recorded", "5m": "5 minutes", "1h": "an hour", "none": "nothing marked"}
    rows = [
        [
            f"{each.model}@{each.provider}",
            names[each.name],
            f"{each.calls:,}",
            f"{each.read:,.0f}",
            f"{each.written:,.0f}",
            share(each.hit_rate),
            dollars(each.spend),
        ]
        for each in lifetimes
    ]
    headings = [("model", False), ("marks live", False), ("calls", True), ("read", True), ("written", True)]
    out.print(table([*headings, ("cache hits", True), ("spend", True)], rows))
    out.print("Of calls whose usage is known; prefixes are compared within a process, unless FAREBOX_HASH_KEY is set.")


def _ranking(answers: Sequence[Answer]) -> object:
    rows = [
        [
            each.route,
            each.target,
            dollars(_money(each.saved_a_month.value)),
            f"{_signed(each.saved_a_month.low)} to {_signed(each.saved_a_month.high)}",
            share(each.now.successes.value / each.tasks),
            share(each.then.successes.value / each.tasks),
            f"{each.cheaper:.0%}",
            f"{each.as_good:.0%}",
        ]
        for each in answers
    ]
    return table([*((name, False) for name in HEADINGS), *((name, True) for name in NUMBERS)], rows)


def _breakeven(what: str, rate: float | None, then: float) -> str:
    if rate is None:
        return f"No {what} of the target would make a success cost what it does now."
    return f"A success would cost what it does now at a {what} of {rate:.1%} (expected: {then:.1%})."


def _usd(estimate: Estimate) -> list[str]:
    return [dollars(_money(estimate.value)), f"{dollars(_money(estimate.low))} to {dollars(_money(estimate.high))}"]


def _counts(estimate: Estimate) -> list[str]:
    return [f"{estimate.value:,.0f}", f"{estimate.low:,.0f} to {estimate.high:,.0f}"]


def _shares(estimate: Estimate) -> list[str]:
    return [share(estimate.value), f"{share(estimate.low)} to {share(estimate.high)}"]


def _signed(value: float) -> str:
    return ("-" if value < 0 else "") + dollars(_money(abs(value)))


def _money(value: float) -> Decimal:
    return Decimal(f"{value:.12f}") if abs(value) < 1e15 else Decimal(0)
