"""Answers `farebox report --tasks`: the calls, retries, escalations and minutes of tasks, and which ran in circles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from farebox_ledger._period import Period
from farebox_ledger._query import run_query
from farebox_ledger._report import per_success

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

__all__ = ["CALLS_MIN", "FACTOR", "TASKS_MIN", "Loop", "TaskGroup", "Tasks", "make_tasks"]

# A task is told as a loop from so many calls on, and so many times the median of its route, which so many tasks make.
CALLS_MIN, FACTOR, TASKS_MIN = 10, 5, 10


@dataclass(frozen=True)
class TaskGroup:
    """Tasks that began on one route, or all of them; money in USD, None if nothing of it is known.

    escalated: tasks with a call to another model than their first. human_unpriced: tasks with minutes of people's work
    whose price is not known. retry_spend, escalation_spend and human_spend are parts of the spend.
    """

    route: str
    tasks: int
    successes: int
    calls: int
    calls_median: int
    calls_p95: int
    calls_max: int
    retries: int
    retry_spend: Decimal | None
    escalated: int
    escalation_spend: Decimal | None
    human_tasks: int
    human_minutes: Decimal | None
    human_spend: Decimal | None
    human_unpriced: int
    model_spend: Decimal | None
    spend: Decimal | None
    unpriced: int
    partial: int

    @property
    def spend_is_lower_bound(self) -> bool:
        """Whether some attempt or some minute has no price, or only part of one."""
        return self.unpriced + self.partial + self.human_unpriced > 0

    @property
    def spend_per_success(self) -> Decimal | None:
        """All money of the tasks for each that succeeded; None if none did, or if no money is known."""
        return per_success(self.spend, self.successes)


@dataclass(frozen=True)
class Loop:
    """A task with far more calls than its route's median; money in USD, None if not known."""

    task: str
    route: str
    started_at: datetime
    calls: int
    calls_median: int
    succeeded: bool
    spend: Decimal | None
    spend_median: Decimal | None
    spend_is_lower_bound: bool


@dataclass(frozen=True)
class Tasks:
    """Tasks of a period by route, all of them together (None: there were none), and those that ran in circles."""

    groups: Sequence[TaskGroup]
    total: TaskGroup | None
    loops: Sequence[Loop]

    def as_json(self) -> dict[str, Any]:
        """Give them as plain data; money and minutes are exact decimal text, money in USD."""
        return {
            "tasks": {
                "rows": [_group_json(each) for each in self.groups],
                "total": None if self.total is None else _group_json(self.total),
                "loops": [_plain(vars(each)) for each in self.loops],
            }
        }


def make_tasks(client: Client, period: Period, route: str = "") -> Tasks:
    """Ask for the tasks that began in a period, each with all that became of it; `route` narrows it to one."""
    asked = {"since": period.since, "until": period.until, "route": route}
    groups, total = [], None
    for row in run_query(client, "tasks/by_route", asked):
        is_total = bool(row.pop("total"))
        group = TaskGroup(tasks=row.pop("tasks_begun"), **row)
        if is_total:
            total = group if group.tasks else None
        else:
            groups.append(group)
    limits = {"calls_min": CALLS_MIN, "factor": FACTOR, "tasks_min": TASKS_MIN}
    loops = [
        Loop(
            task=row["task"],
            route=row["route"],
            started_at=row["started_at"],
            calls=row["calls"],
            calls_median=row["calls_median"],
            succeeded=bool(row["succeeded"]),
            spend=row["known_cost"],
            spend_median=row["cost_median"],
            spend_is_lower_bound=row["unpriced"] + row["partial"] > 0,
        )
        for row in run_query(client, "tasks/loops", {**asked, **limits})
    ]
    return Tasks(groups, total, loops)


def _group_json(group: TaskGroup) -> dict[str, Any]:
    per = {"spend_per_success": group.spend_per_success, "spend_is_lower_bound": group.spend_is_lower_bound}
    return _plain({**vars(group), **per})


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _value(value) for name, value in values.items()}


def _value(value: Any) -> Any:
    if isinstance(value, Decimal):
        return format(value, "f")
    return value.isoformat() if isinstance(value, datetime) else value
