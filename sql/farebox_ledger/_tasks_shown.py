"""Shows what tasks took, and which ran in circles."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from farebox_ledger._tasks import FACTOR, TaskGroup, Tasks
from farebox_ledger._terminal import dollars, table

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["show_tasks"]

LOOPS_MAX = 12
HEADINGS = (
    "tasks",
    "succeeded",
    "calls a task",
    "most",
    "retries",
    "they cost",
    "escalated",
    "it cost",
    "minutes",
    "people",
    "spend",
    "per success",
)
LOOP_HEADINGS = [
    ("task", False),
    ("route", False),
    ("calls", True),
    ("median", True),
    ("spend", True),
    ("median", True),
    ("succeeded", False),
]


def show_tasks(tasks: Tasks, out: Console) -> None:
    """Print tasks by route, then those that ran in circles, dearest first."""
    out.print("\nTasks: what each took, by the route of its first call", style="dim")
    if tasks.total is None:
        out.print("No tasks began in this period.")
        return
    headings = [("route", False), *((name, True) for name in HEADINGS)]
    rows = [_cells(group, group.route) for group in tasks.groups]
    out.print(table(headings, [*rows, _cells(tasks.total, "total")], last_apart=True))
    if tasks.total.human_unpriced:
        out.print(
            f"Tasks with minutes of people's work that have no price: {tasks.total.human_unpriced:,}; set "
            "human_usd_per_minute of [[routes]] in farebox.toml.",
            markup=False,
        )
    if tasks.loops:
        _show_loops(tasks, out)


def _show_loops(tasks: Tasks, out: Console) -> None:
    known = [each.spend for each in tasks.loops if each.spend is not None]
    in_part = len(known) < len(tasks.loops) or any(each.spend_is_lower_bound for each in tasks.loops)
    burnt = dollars(sum(known, start=Decimal(0)) if known else None, in_part)
    out.print(
        f"\nTasks that took {FACTOR} times the calls usual on their route, or more: {len(tasks.loops):,}, for {burnt}"
    )
    rows = [
        [
            each.task,
            each.route,
            f"{each.calls:,}",
            f"{each.calls_median:,}",
            dollars(each.spend, each.spend_is_lower_bound),
            dollars(each.spend_median),
            "yes" if each.succeeded else "no",
        ]
        for each in tasks.loops[:LOOPS_MAX]
    ]
    out.print(table(LOOP_HEADINGS, rows))
    if len(tasks.loops) > LOOPS_MAX:
        out.print(f"and {len(tasks.loops) - LOOPS_MAX:,} more (--json lists them)")


def _cells(group: TaskGroup, name: str) -> list[str]:
    return [
        name or "(none)",
        f"{group.tasks:,}",
        f"{group.successes:,}",
        f"{group.calls_median:,} (p95 {group.calls_p95:,})",
        f"{group.calls_max:,}",
        f"{group.retries:,}",
        dollars(group.retry_spend),
        f"{group.escalated:,}",
        dollars(group.escalation_spend),
        "–" if group.human_minutes is None else f"{group.human_minutes.normalize():,f}",
        dollars(group.human_spend, group.human_unpriced > 0),
        dollars(group.spend, group.spend_is_lower_bound),
        dollars(group.spend_per_success, group.spend_is_lower_bound),
    ]
