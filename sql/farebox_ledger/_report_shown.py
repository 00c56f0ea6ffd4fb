"""Shows what a report's table has no room for: what was billed by class, and how it differs from the period before."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from farebox_ledger._report import CLASSES, Group, Report
from farebox_ledger._terminal import dollars, share, table

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["previous_json", "show_classes", "show_previous"]

WORDS = {"cache_read": "cache reads", "cache_write": "cache writes"}
NOTHING = Group(())


def show_classes(report: Report, out: Console) -> None:
    """Print the spend of each group by the class of what was billed."""
    headings = [(name, False) for name in report.by]
    headings += [(WORDS.get(name, name), True) for name in CLASSES] + [("spend", True)]
    rows = [
        [
            *_key(group, report),
            *(_dollars(group, group.classes[name]) for name in CLASSES),
            _dollars(group, group.spend),
        ]
        for group in [*report.groups, report.total]
    ]
    out.print(table(headings, rows if report.by else rows[-1:], last_apart=bool(report.by)))


def show_previous(report: Report, previous: Report, out: Console) -> None:
    """Print each group beside what it was in the period before, dearest change first."""
    out.print(f"\nAgainst the period before, {previous.period}", style="dim")
    pairs = _pairs(report, previous)
    headings = [(name, False) for name in report.by]
    headings += [
        (name, True) for name in ("calls", "were", "spend", "was", "change", "per success", "was", "failed", "was")
    ]
    rows = [[*_key(now if now is not NOTHING else then, report), *_cells(now, then)] for now, then in pairs]
    rows.append([*_key(report.total, report), *_cells(report.total, previous.total)])
    out.print(table(headings, rows if report.by else rows[-1:], last_apart=bool(report.by)))


def previous_json(previous: Report) -> dict[str, Any]:
    """Give the report on the period before as plain data."""
    told = previous.as_json()
    return {"previous": {name: told[name] for name in ("since", "until", "rows", "total", "unpriced")}}


def _pairs(report: Report, previous: Report) -> list[tuple[Group, Group]]:
    before = {group.key: group for group in previous.groups}
    now = {group.key: group for group in report.groups}
    keys = [*now, *(key for key in before if key not in now)]
    pairs = [(now.get(key, NOTHING), before.get(key, NOTHING)) for key in keys]
    return sorted(pairs, key=lambda pair: -abs((pair[0].spend or Decimal(0)) - (pair[1].spend or Decimal(0))))


def _cells(now: Group, then: Group) -> list[str]:
    return [
        f"{now.calls:,}",
        f"{then.calls:,}",
        _dollars(now, now.spend),
        _dollars(then, then.spend),
        _change(now, then),
        dollars(now.spend_per_success, now.task_doubts > 0),
        dollars(then.spend_per_success, then.task_doubts > 0),
        share(now.failure_rate),
        share(then.failure_rate),
    ]


def _change(now: Group, then: Group) -> str:
    """Say by which share spend rose or fell; two lower bounds have no such share."""
    if not now.spend or not then.spend or now.spend_is_lower_bound or then.spend_is_lower_bound:
        return "–"
    return f"{float((now.spend - then.spend) / then.spend):+.1%}"


def _dollars(group: Group, amount: Decimal | None) -> str:
    return dollars(amount, group.spend_is_lower_bound)


def _key(group: Group, report: Report) -> Sequence[str]:
    if group is report.total:
        return ("total", *("" for _ in report.by[1:])) if report.by else ()
    return [part or "(none)" for part in group.key]
