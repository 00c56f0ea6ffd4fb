"""Answers `farebox whatif`: what a route's tasks would have cost with another model, and how many would have succeeded.

The route's recorded questions are asked of the other model in thought: tokens converted, its provider's cache replayed
over the real times, its failures at measured rates, what failures cost as they do now. Every figure has a range, and
all that is assumed is said. What is estimated is no money of the ledger's, and is kept as floats. What would be asked
again of a third model is not asked twice: escalations stay as they are, and become more or fewer as failures do.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from zlib import crc32

from farebox_ledger._whatif_price import Target
from farebox_ledger._whatif_rates import Rates, rates_on
from farebox_ledger._whatif_replay import Replayed, replayed
from farebox_ledger._whatif_tokens import Estimate
from farebox_ledger._whatif_traffic import Call, RouteTraffic

__all__ = ["Answer", "Question", "Side", "answer"]

Z = 1.959963984540054
MONTH_DAYS = 30
# Whole numbers of hashing: whose share a task is in, is its name's doing.
BUCKETS = 10_000
MONEY = Decimal("1e-12")
# Below so many tasks nothing is claimed.
TASKS_MIN = 20


@dataclass(frozen=True)
class Question:
    """What is asked: which part of a route's traffic goes to which model. days: how many the traffic is of.

    families: flags that make an answer a failure on the route. cache: lifetime of what is marked at the target, empty
    for what its provider's traffic does now.
    """

    target: Target
    share: float
    families: frozenset[str]
    days: float
    cache: str = ""


@dataclass(frozen=True)
class Side:
    """The route as it is, or would be; USD. success: share of tasks. fails: share of the calls that would move."""

    spend: Estimate
    successes: Estimate
    per_success: Estimate
    fails: Estimate
    hit_rate: Estimate

    def as_json(self) -> dict[str, Any]:
        """Give it as plain data."""
        return {name: _estimate_json(value) for name, value in vars(self).items()}


@dataclass(frozen=True)
class Answer:
    """What would change. saved_a_month in USD; chances are from 0 to 1.

    breakeven_fails, breakeven_hits: the failure rate, and the cache hit rate, of the target's calls at which a success
    costs what it does now; None: none does. cheaper: chance that a success costs less. as_good: chance that at most
    `MARGIN` fewer of a hundred tasks succeed. thin: why not to rely on it.
    """

    route: str
    target: str
    share: float
    tasks: int
    moved_calls: int
    now: Side
    then: Side
    tokens: Estimate
    saved_a_month: Estimate
    breakeven_fails: float | None
    breakeven_hits: float | None
    cheaper: float
    as_good: float
    at_least: bool
    basis: Sequence[str] = field(default_factory=tuple)
    thin: Sequence[str] = field(default_factory=tuple)

    @property
    def verdict(self) -> str:
        """Say in a word what to make of it: thin, cheaper, dearer or unclear."""
        if self.then.spend.low > self.now.per_success.value * self.tasks:
            return "dearer"  # even if every task succeeded
        if self.thin:
            return "thin"
        if self.then.per_success.high < self.now.per_success.value:
            return "cheaper"
        return "dearer" if self.then.per_success.low > self.now.per_success.value else "unclear"

    def as_json(self) -> dict[str, Any]:
        """Give it as plain data."""
        told = {name: value for name, value in vars(self).items() if not isinstance(value, Side | Estimate)}
        told |= {name: value.as_json() for name, value in vars(self).items() if isinstance(value, Side)}
        told |= {name: _estimate_json(value) for name, value in vars(self).items() if isinstance(value, Estimate)}
        return {**told, "verdict": self.verdict, "basis": list(self.basis), "thin": list(self.thin)}


MARGIN = 0.01


def answer(traffic: RouteTraffic, target: Sequence[Call], question: Question) -> Answer | None:
    """Work a question out; None if no call of the route would move, or no task of it succeeded at a known cost.

    target: the calls that the target model answered, on whatever route and at whatever provider.
    """
    chosen = {task for task in traffic.tasks if _bucket(task) < question.share * BUCKETS}
    calls = [call for call in traffic.calls if call.first.task in chosen]
    moved = [call for call in calls if _moves(call, traffic.route, question.target)]
    spend = traffic.spend
    if not moved or not traffic.successes or spend is None:
        return None
    rates = rates_on(moved, target, question.target.provider, question.families)
    model = _Model(traffic, float(spend), chosen, calls, moved, rates, question.share)
    asked = replayed(moved, target, question.target, question.cache)
    return _answer(traffic, question, model, rates, asked)


def _moves(call: Call, route: str, target: Target) -> bool:
    """Tell whether a call would go to the target: a question of the route that another model answers now."""
    there = (call.first.model, call.first.provider) == (target.model, target.provider)
    return call.first.route == route and not call.escalation and not there


def _bucket(task: str) -> int:
    return crc32(task.encode()) % BUCKETS


class _Model:
    """The route's money and successes as functions of the moved calls' cost and failure rate; floats of USD."""

    def __init__(
        self,
        traffic: RouteTraffic,
        spend: float,
        chosen: set[str],
        calls: Sequence[Call],
        moved: Sequence[Call],
        rates: Rates,
        share: float,
    ) -> None:
        self.spend = spend
        self.successes = traffic.successes
        self.scale = share * len(traffic.tasks) / len(chosen)
        self.tasks = len(chosen)
        self.succeeded = sum(traffic.tasks[task].succeeded for task in chosen)
        self.moved_cost = float(sum((call.cost for call in moved), start=Decimal(0)))
        failed = [call for call in moved if not call.good]
        self.fails_now = len(failed) / len(moved)
        escalated = [call for call in calls if call.escalation]
        rescued = {call.first.task for call in escalated if call.good}
        # Of the calls that failed, those that another model then answered well.
        self.rescue = min(1.0, sum(call.first.task in rescued for call in failed) / len(failed)) if failed else 0.0
        marred = {call.first.task for call in failed} | {task for task in chosen if not traffic.tasks[task].succeeded}
        people = sum(float(traffic.tasks[task].human_cost or 0) for task in marred)
        self.failure_cost = sum(float(call.cost) for call in escalated) + people
        reported = [call for call in moved if call.reported]
        self.reported = len(reported) / len(moved)
        host_now = sum(call.ended == "host" for call in moved) / len(moved)
        shift = [host_now - each for each in (rates.host.value, rates.host.high, rates.host.low)]
        self.reported_then = [min(1.0, max(0.0, self.reported + each)) for each in shift]

    def total(self, moved_cost: float, fails: float) -> float:
        """USD of the route's tasks, if the moved calls cost so much and fail so often."""
        factor = fails / self.fails_now if self.fails_now else 1.0
        change = moved_cost - self.moved_cost + (factor - 1) * self.failure_cost
        return self.spend + self.scale * change

    def successes_at(self, fails: float) -> float:
        """Tasks of the route that succeed, if moved calls fail so often."""
        kept = 1 - self.fails_now * (1 - self.rescue)
        ratio = (1 - fails * (1 - self.rescue)) / kept if kept else 0.0
        there = min(float(self.tasks), self.succeeded * ratio)
        return max(0.0, self.successes + self.scale * (there - self.succeeded))

    def breakeven_fails(self, moved_cost: float) -> float | None:
        """Failure rate at which a success costs what it does now, by halving; None if there is none from 0 to 1."""
        now = self.spend / self.successes

        def dearer(fails: float) -> bool:
            successes = self.successes_at(fails)
            return successes <= 0 or self.total(moved_cost, fails) / successes > now

        if dearer(0.0) or not dearer(1.0):
            return None
        low, high = 0.0, 1.0
        for _ in range(50):
            middle = (low + high) / 2
            low, high = (low, middle) if dearer(middle) else (middle, high)
        return low


def _answer(traffic: RouteTraffic, question: Question, model: _Model, rates: Rates, asked: Replayed) -> Answer:
    now_cps = model.spend / model.successes
    fails = rates.fails
    known = [share / model.reported if model.reported else 1.0 for share in model.reported_then]
    cost = asked.cost.value * known[0]
    spend = model.total(cost, fails.value)
    successes = model.successes_at(fails.value)
    # Chances of the cost: what converting and replaying leave open, answers lost at the host, and that answers differ.
    lost = math.hypot(asked.cost.value * (known[2] - known[1]) / 2, asked.cost.value * asked.noise)
    by_fails = sorted(model.total(cost, each) for each in (fails.low, fails.high))
    below, above = (
        math.hypot(model.scale * math.hypot(reach * known[0], lost), by_failure)
        for reach, by_failure in (
            (asked.cost.value - asked.cost.low, spend - by_fails[0]),
            (asked.cost.high - asked.cost.value, by_fails[1] - spend),
        )
    )
    expected = successes / len(traffic.tasks)
    luck = Z * math.sqrt(max(expected * (1 - expected), 0.0) * len(traffic.tasks) * question.share)
    few = successes - math.hypot(successes - model.successes_at(fails.high), luck)
    many = successes + math.hypot(model.successes_at(fails.low) - successes, luck)
    successes_then = Estimate(successes, max(few, 0.0), min(many, float(len(traffic.tasks))), fails.basis)
    spend_then = Estimate(spend, max(0.0, spend - below), spend + above, asked.cost.basis)
    then_cps = _ratio(spend_then, successes_then)
    hits = asked.hit_rate
    saved = _saved(now_cps, then_cps, model.successes / question.days * MONTH_DAYS)
    thin = [*rates.thin]
    if len(traffic.tasks) < TASKS_MIN:
        thin.append(f"only {len(traffic.tasks):,} tasks began on the route (from {TASKS_MIN} on something is claimed)")
    if model.failure_cost and not model.fails_now:
        thin.append("nothing failed among what would move, so that nobody knows what a failure costs")
    sd_success = max((successes_then.high - successes_then.low) / 2 / Z, 1e-9)
    as_good = _normal((successes - model.successes + MARGIN * len(traffic.tasks)) / sd_success)
    sd_cps = max((then_cps.high - then_cps.low) / 2 / Z, 1e-15)
    return Answer(
        route=traffic.route,
        target=str(question.target),
        share=question.share,
        tasks=len(traffic.tasks),
        moved_calls=asked.calls,
        now=Side(
            _exact(model.spend),
            _exact(model.successes),
            _exact(now_cps),
            _exact(model.fails_now),
            _exact(asked.hit_rate_now),
        ),
        then=Side(spend_then, successes_then, then_cps, fails, hits),
        tokens=asked.tokens,
        saved_a_month=saved,
        breakeven_fails=model.breakeven_fails(cost),
        breakeven_hits=_breakeven_hits(model, asked, fails.value, known[0]),
        cheaper=_normal((now_cps - then_cps.value) / sd_cps),
        as_good=as_good,
        at_least=traffic.doubts > 0,
        basis=_basis(question, traffic, rates, asked),
        thin=tuple(thin),
    )


def _basis(question: Question, traffic: RouteTraffic, rates: Rates, asked: Replayed) -> tuple[str, ...]:
    lines = [
        f"tokens: × {asked.tokens.value:.3f} ({asked.tokens.low:.3f} to {asked.tokens.high:.3f}), {asked.tokens.basis}",
        f"answers: {asked.answers.basis}",
        f"cache: {asked.hit_rate.basis}",
        f"failures: {rates.fails.basis}; {rates.attempts:.2f} attempts a call",
        *question.target.notes,
    ]
    if not traffic.whole:
        lines.append(f"of the route's tasks the latest {len(traffic.tasks):,} were read")
    return tuple(lines)


def _breakeven_hits(model: _Model, asked: Replayed, fails: float, known: float) -> float | None:
    """Cache hit rate at which a success costs what it does now; None if none from 0 to 1 does."""
    a_hit = float(asked.hit_saves) * known
    successes = model.successes_at(fails)
    if a_hit <= 0 or successes <= 0:
        return None
    spare = model.spend / model.successes * successes - model.total(asked.cost.value * known, fails)
    rate = asked.hit_rate.value - spare / (model.scale * a_hit)
    return rate if 0 <= rate <= 1 else None


def _ratio(money: Estimate, count: Estimate) -> Estimate:
    """Divide with the range: relative errors squared and added."""
    if count.value <= 0:
        return Estimate(math.inf, money.low, math.inf, "")
    value = money.value / count.value
    down = math.hypot((money.value - money.low) / (money.value or 1), (count.high - count.value) / count.value)
    up = math.hypot((money.high - money.value) / (money.value or 1), (count.value - count.low) / count.value)
    return Estimate(value, max(0.0, value * (1 - down)), value * (1 + up), "")


def _saved(now: float, then: Estimate, successes_a_month: float) -> Estimate:
    low, high = ((now - each) * successes_a_month for each in (then.high, then.low))
    return Estimate((now - then.value) * successes_a_month, low, high, "")


def _normal(z: float) -> float:
    return 0.5 * math.erfc(-z / math.sqrt(2))


def _exact(value: float) -> Estimate:
    return Estimate(value, value, value, "the ledger's")


def _estimate_json(estimate: Estimate) -> Mapping[str, Any]:
    return {name: _finite(value) if name != "basis" else value for name, value in vars(estimate).items()}


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
