"""Answers how often answers failed, over what was checked, and what the failed ones cost, by group."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal

from farebox_ledger._comparison import Comparison, Sample, compare
from farebox_ledger._period import Period
from farebox_ledger._query import Ask, run_query

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

__all__ = [
    "FailureCost",
    "FailureRate",
    "Failures",
    "compare_models",
    "failure_costs",
    "failure_rates",
    "make_failures",
]

Key = tuple[str, ...]


@dataclass(frozen=True)
class FailureRate:
    """How often one failure came up in a group; `key` is None for all groups together.

    failure: a detector (`refusal`), a kind of it (`refusal.text`), or the families `hedging` and `overconfidence`.
    unit: what is counted. not_checked: answers at which the detector stopped at a limit. rate, and its 95 % interval
    low to high: shares, None if nothing was checked.
    """

    key: Key | None
    failure: str
    unit: Literal["answer", "tool call"]
    checked: int
    failed: int
    not_checked: int
    rate: float | None
    low: float | None
    high: float | None

    @property
    def is_kind(self) -> bool:
        """Whether it is one kind of a detector's failures."""
        return "." in self.failure


@dataclass(frozen=True)
class FailureCost:
    """What the answers of one failure cost, in USD; None if nothing is known, at least that if any is in doubt.

    failure: as of rates, or `disqualified`, or `any`, in which an answer of several failures counts once.
    """

    key: Key | None
    failure: str
    answers: int
    spend: Decimal | None
    unpriced: int
    partial: int

    @property
    def is_lower_bound(self) -> bool:
        """Whether some of the answers are unpriced, or priced only in part."""
        return self.unpriced + self.partial > 0


@dataclass(frozen=True)
class Failures:
    """Rates and costs of the failures of a period, by the names in `by`."""

    by: Sequence[str]
    rates: Sequence[FailureRate]
    costs: Sequence[FailureCost]

    def cost_of(self, key: Key | None, failure: str) -> FailureCost | None:
        """Return what a failure cost in a group, None if it never came up."""
        return next((each for each in self.costs if each.key == key and each.failure == failure), None)

    def as_json(self) -> dict[str, Any]:
        """Give them as plain data; money is exact decimal text, in USD."""
        return {
            "failures_by": list(self.by),
            "failures": [_plain(each, self.by) for each in self.rates],
            "failure_costs": [_plain(each, self.by) for each in self.costs],
        }


def make_failures(
    client: Client, period: Period, by: Sequence[str], route: str = "", model: str = "", ask: Ask = run_query
) -> Failures:
    """Ask the ledger for both; `route` and `model` narrow it to one of each, empty meaning all."""
    return Failures(
        by=tuple(by),
        rates=failure_rates(client, period, by, route, model, ask),
        costs=failure_costs(client, period, by, route, model, ask),
    )


def failure_rates(
    client: Client, period: Period, by: Sequence[str], route: str = "", model: str = "", ask: Ask = run_query
) -> list[FailureRate]:
    """Ask how often answers failed, over what was checked: each group, then all together."""
    return [
        FailureRate(
            _key(row, by),
            row["failure"],
            row["unit"],
            row["checked"],
            row["failed"],
            row["not_checked"],
            row["rate"],
            row["low"],
            row["high"],
        )
        for row in ask(client, "failure_rates", _parameters(period, by, route, model))
    ]


def failure_costs(
    client: Client, period: Period, by: Sequence[str], route: str = "", model: str = "", ask: Ask = run_query
) -> list[FailureCost]:
    """Ask what failed answers cost: each group, then all together."""
    return [
        FailureCost(_key(row, by), row["failure"], row["answers"], row["spend"], row["unpriced"], row["partial"])
        for row in ask(client, "failure_costs", _parameters(period, by, route, model))
    ]


def compare_models(
    client: Client, period: Period, models: tuple[str, str], route: str = "", ask: Ask = run_query
) -> dict[str, Comparison]:
    """Compare how often two models failed on one route, or on all: each detector and family both were checked for."""
    samples: dict[str, dict[str, Sample]] = {}
    for each in failure_rates(client, period, ["model"], route, ask=ask):
        if each.key is not None and each.key[0] in models and each.checked and not each.is_kind:
            samples.setdefault(each.failure, {})[each.key[0]] = Sample(each.failed, each.checked)
    one, other = models
    return {failure: compare(found[one], found[other]) for failure, found in samples.items() if len(found) == 2}


def _parameters(period: Period, by: Sequence[str], route: str, model: str) -> dict[str, Any]:
    narrowed = {"by": list(by), "route": route, "model": model}
    return {"since": period.since, "until": period.until, "by_tenant": 0, **narrowed}


def _key(row: dict[str, Any], by: Sequence[str]) -> Key | None:
    return None if row["total"] else tuple(str(row[name]) for name in by)


def _plain(each: FailureRate | FailureCost, by: Sequence[str]) -> dict[str, Any]:
    """Lay one row out; that of all groups has no values for `by`."""
    plain = {
        name: format(value, "f") if isinstance(value, Decimal) else value
        for name, value in vars(each).items()
        if name != "key"
    }
    return {**dict(zip(by, each.key or (None,) * len(by), strict=True)), "total": each.key is None, **plain}
