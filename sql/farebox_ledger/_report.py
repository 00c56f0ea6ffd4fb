"""Answers `farebox report`: what calls cost, how often they failed, and what could not be priced, by group."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Context, Decimal
from typing import TYPE_CHECKING, Any

from farebox_ledger._period import Period
from farebox_ledger._query import Ask, run_query

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

__all__ = ["CLASSES", "DIMENSIONS", "Group", "Report", "Unpriced", "make_report", "per_success"]

DIMENSIONS = ("route", "model", "provider")
CLASSES = ("input", "cache_read", "cache_write", "output", "tools")  # what is billed; they add up to the spend
# A quotient of money is rounded, half even, to the ledger's own scale; everything else is exact.
QUOTIENT = Context(prec=60)
SCALE = Decimal("1e-12")
# Latencies of so many attempts are read one by one, to be durations that occurred; of more they are one percent off.
EXACT_LATENCIES_MAX = 1_000_000

Key = tuple[str, ...]


@dataclass
class Group:
    """One row of the report; money is in USD, None if nothing of it is known; latencies are in milliseconds.

    Attempts, spend, latencies and cache are of the group's own attempts; calls and failures of the calls that began in
    it; tasks, successes and task spend of the tasks that began in it, with all their money, wherever it was spent.
    Latencies are exact of up to a million attempts, and one percent off at most of more.
    """

    key: Key
    calls: int = 0
    failed: int = 0
    attempts: int = 0
    spend: Decimal | None = None
    no_price: int = 0
    no_usage: int = 0
    partial: int = 0
    tasks: int = 0
    successes: int = 0
    task_spend: Decimal | None = None
    task_doubts: int = 0
    cached_tokens: int = 0
    input_tokens: int = 0
    latency_p50_ms: float | None = None
    latency_p95_ms: float | None = None
    classes: dict[str, Decimal | None] = field(default_factory=lambda: dict.fromkeys(CLASSES))

    @property
    def unpriced(self) -> int:
        """Attempts of which no cost at all is known."""
        return self.no_price + self.no_usage

    @property
    def spend_is_lower_bound(self) -> bool:
        """Whether some attempt is unpriced, or priced only in part."""
        return self.unpriced + self.partial > 0

    @property
    def spend_per_success(self) -> Decimal | None:
        """All money of the tasks for each one that succeeded; None if none did, or if no money is known."""
        return per_success(self.task_spend, self.successes)

    @property
    def failure_rate(self) -> float | None:
        """Calls without a good attempt as a share of all; None if there are none."""
        return self.failed / self.calls if self.calls else None

    @property
    def cache_hit_rate(self) -> float | None:
        """Input tokens read from a cache as a share of all; None if none are known."""
        return self.cached_tokens / self.input_tokens if self.input_tokens else None


@dataclass(frozen=True)
class Unpriced:
    """Attempts that are not priced, or not in full, for one reason; `tokens` are those known of them."""

    state: str
    reason: str
    attempts: int
    tokens: int


@dataclass(frozen=True)
class Report:
    """The groups, dearest first, and all of them together."""

    period: Period
    by: Sequence[str]
    groups: Sequence[Group]
    total: Group
    unpriced: Sequence[Unpriced] = field(default_factory=tuple)
    impossible_clocks: int = 0
    pending: int = 0

    def as_json(self) -> dict[str, Any]:
        """Give the report as plain data; money is exact decimal text, in USD."""
        return {
            "since": self.period.since.isoformat(),
            "until": self.period.until.isoformat(),
            "currency": "USD",
            "by": list(self.by),
            "rows": [_group_json(group, self.by) for group in self.groups],
            "total": _group_json(self.total, ()),
            "unpriced": [vars(each) for each in self.unpriced],
            "impossible_clocks": self.impossible_clocks,
            "pending": self.pending,
        }


def make_report(
    client: Client, period: Period, by: Sequence[str], route: str = "", model: str = "", ask: Ask = run_query
) -> Report:
    """Ask the ledger; `route` and `model` narrow it to one of each, empty meaning all.

    ask: who asks; `asking_the_past` makes one that asks the ledger as it was.
    """
    parameters = {"since": period.since, "until": period.until, "by": list(by), "route": route, "model": model}
    groups: dict[tuple[bool, Key], Group] = {}
    whole = Group(())
    for name, take in _TAKES.items():
        if name == "report_latency" and whole.attempts > EXACT_LATENCIES_MAX:
            continue
        for row in ask(client, name, parameters):
            key = tuple(str(row[dimension]) for dimension in by)
            group = groups.setdefault((bool(row["total"]), key), Group(key))
            take(group, row)
        whole = next((group for (is_total, _), group in groups.items() if is_total), whole)
    parts = [group for (is_total, _), group in groups.items() if not is_total]
    clocks = ask(client, "impossible_clocks", {})
    narrow = {key: parameters[key] for key in parameters if key != "by"}
    foreign = ask(client, "report_foreign", narrow)
    return Report(
        period=period,
        by=tuple(by),
        groups=sorted(parts, key=lambda group: (-(group.spend or 0), -group.attempts, group.key)),
        total=whole,
        unpriced=[
            Unpriced(row["price_state"], row["price_reason"], row["attempts"], row["known_tokens"])
            for row in ask(client, "report_unpriced", narrow)
        ],
        impossible_clocks=clocks[0]["attempts"] if clocks else 0,
        pending=foreign[0]["pending"] if foreign else 0,
    )


def per_success(spend: Decimal | None, successes: int) -> Decimal | None:
    """Divide money by successes, to the ledger's own scale; None if there are none, or if no money is known."""
    if successes == 0 or spend is None:
        return None
    return QUOTIENT.divide(spend, Decimal(successes)).quantize(SCALE, context=QUOTIENT)


def _take_attempts(group: Group, row: Mapping[str, Any]) -> None:
    group.attempts = row["attempts"]
    group.spend = row["spend"]
    group.classes = {name: row[f"spend_{name}"] for name in CLASSES}
    group.no_price, group.no_usage, group.partial = row["no_price"], row["no_usage"], row["partial"]
    group.cached_tokens = row["cached_tokens"] or 0
    group.input_tokens = row["known_input_tokens"] or 0
    _take_latency(group, row)


def _take_latency(group: Group, row: Mapping[str, Any]) -> None:
    group.latency_p50_ms, group.latency_p95_ms = row["latency_p50_ms"], row["latency_p95_ms"]


def _take_calls(group: Group, row: Mapping[str, Any]) -> None:
    group.calls, group.failed = row["calls"], row["failed"]


def _take_tasks(group: Group, row: Mapping[str, Any]) -> None:
    group.tasks, group.successes = row["tasks"], row["successes"]
    group.task_spend = row["task_spend"]
    group.task_doubts = row["unpriced"] + row["partial"] + row["human_unpriced"]


_TAKES = {
    "report_attempts": _take_attempts,
    "report_latency": _take_latency,
    "report_calls": _take_calls,
    "report_tasks": _take_tasks,
}


def _group_json(group: Group, by: Sequence[str]) -> dict[str, Any]:
    return {
        **dict(zip(by, group.key, strict=False)),
        "calls": group.calls,
        "attempts": group.attempts,
        "spend": _text(group.spend),
        "spend_is_lower_bound": group.spend_is_lower_bound,
        "spend_by_class": {name: _text(amount) for name, amount in group.classes.items()},
        "tasks": group.tasks,
        "successes": group.successes,
        "task_spend": _text(group.task_spend),
        "spend_per_success": _text(group.spend_per_success),
        "spend_per_success_is_lower_bound": group.task_doubts > 0,
        "failed_calls": group.failed,
        "failure_rate": group.failure_rate,
        "cached_tokens": group.cached_tokens,
        "input_tokens": group.input_tokens,
        "cache_hit_rate": group.cache_hit_rate,
        "latency_p50_ms": group.latency_p50_ms,
        "latency_p95_ms": group.latency_p95_ms,
        "unpriced": group.unpriced,
        "no_price": group.no_price,
        "no_usage": group.no_usage,
        "partial": group.partial,
    }


def _text(amount: Decimal | None) -> str | None:
    return None if amount is None else format(amount, "f")
