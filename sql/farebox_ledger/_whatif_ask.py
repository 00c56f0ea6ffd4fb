"""Puts what-if questions to a ledger: one change, every change of every route, or other lifetimes of the cache."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from farebox_ledger._period import Period
from farebox_ledger._query import run_query
from farebox_ledger._whatif import Answer, Question, answer
from farebox_ledger._whatif_cache import rule_for
from farebox_ledger._whatif_price import Target, find_target
from farebox_ledger._whatif_rates import CALLS_MIN
from farebox_ledger._whatif_replay import (
    LIFETIMES,
    Replay,
    prompts_of,
    replay_among,
    rule_as_asked,
    turns_are_marked,
    unread_of,
)
from farebox_ledger._whatif_tokens import slope_of
from farebox_ledger._whatif_traffic import Attempt, Call, RouteTraffic, model_calls, route_traffic
from farebox_ledger.errors import BookError, LedgerError

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

__all__ = ["Advice", "Lifetime", "Whatif"]

# How sure one must be to be told to change, and to be told to try with a part of the traffic.
SURE, LIKELY = 0.95, 0.8


@dataclass(frozen=True)
class Advice:
    """Every change that was looked at: those to make, those to try, and how many of the others there are."""

    change: Sequence[Answer]
    test: Sequence[Answer]
    rest: Sequence[Answer]

    def as_json(self) -> dict[str, Any]:
        """Give it as plain data."""
        return {name: [each.as_json() for each in answers] for name, answers in vars(self).items()}


@dataclass(frozen=True)
class Lifetime:
    """What calls of a model with a marked cache cost at one lifetime; tokens, USD. name `now`: as recorded."""

    model: str
    provider: str
    name: str
    calls: int
    read: float
    written: float
    hit_rate: float
    spend: Decimal

    def as_json(self) -> dict[str, Any]:
        """Give it as plain data."""
        return {**vars(self), "spend": format(self.spend, "f")}


@dataclass
class Whatif:
    """Asks about a period of a ledger; what was read once is kept. now: until when a period without an end is."""

    client: Client
    period: Period
    now: datetime
    _routes: dict[str, RouteTraffic] = field(default_factory=dict)
    _models: dict[str, list[Call]] = field(default_factory=dict)

    def ask(self, route: str, model: str, provider: str, share: float = 1.0, cache: str = "") -> Answer:
        """Ask what one change would do.

        Raises:
            LedgerError: the route has no tasks, the model no price, or there is nothing to compare.
        """
        target = find_target(self.client, model, provider, self._at())
        found = self._ask(self._route(route), target, share, cache)
        if found is None:
            raise LedgerError(
                f"no call of the route {route!r} would move to {target}: all are there now, or no task of it succeeded "
                "at a known cost; choose a longer period with --since, or another model"
            )
        return found

    def advise(self) -> Advice:
        """Ask about every change of every route to every model that the ledger has measured, dearest savings first."""
        seen = run_query(self.client, "whatif/models", {"since": self.period.since, "until": self.period.until})
        targets = list(self._targets(seen))
        answers = []
        for route in sorted({row["route"] for row in seen}):
            traffic = route_traffic(self.client, self.period, route)
            self._routes[route] = traffic
            answers += [found for target in targets if (found := self._ask(traffic, target, 1.0, "")) is not None]
        answers.sort(key=lambda each: -each.saved_a_month.value)
        saving = [each for each in answers if each.saved_a_month.value > 0 and not each.thin]
        change = [each for each in saving if each.cheaper >= SURE and each.as_good >= SURE]
        test = [each for each in saving if each not in change and each.cheaper >= LIKELY and each.as_good >= LIKELY]
        rest = [each for each in answers if each not in change and each not in test]
        return Advice(change, test, rest)

    def lifetimes(self, route: str) -> list[Lifetime]:
        """Ask what other lifetimes of marks would cost the calls of a route whose providers cache what is marked."""
        groups: dict[tuple[str, str], list[Call]] = {}
        for call in self._route(route).calls:
            first = call.first
            if first.route == route and call.reported and rule_for(first.provider, first.model).kind == "marked":
                groups.setdefault((first.provider, first.model), []).append(call)
        if not groups:
            raise LedgerError(
                f"no call of the route {route!r} went to a provider whose cache is marked by the caller (Anthropic's); "
                "the others cache by themselves, and there is no lifetime to choose"
            )
        found: list[Lifetime] = []
        for (provider, model), calls in groups.items():
            found += self._lifetimes_of(calls, find_target(self.client, model, provider, self._at()))
        return found

    def _lifetimes_of(self, calls: Sequence[Call], target: Target) -> Iterator[Lifetime]:
        attempts = [each for call in calls if (each := call.reported) is not None]
        slopes = {(target.provider, target.model): slope_of(attempts)}
        prompts = prompts_of(calls, slopes, {})
        unread = unread_of(calls, prompts, slopes, {}, retries=True)
        turns = turns_are_marked(calls, prompts)
        outputs = sum(each.output or 0 for each in attempts)
        yield _as_recorded(target, attempts)
        for name in LIFETIMES:
            rule = rule_as_asked(rule_for(target.provider, target.model), attempts, name, turns=turns)
            replay_ = Replay(replay_among(rule, prompts, unread), target)
            spend = replay_.inputs() + target.prices.cost(0, {"output_tokens": float(outputs)})
            yield Lifetime(
                target.model,
                target.provider,
                name,
                len(attempts),
                replay_.read,
                replay_.written,
                replay_.hit_rate,
                spend,
            )

    def _ask(self, traffic: RouteTraffic, target: Target, share: float, cache: str) -> Answer | None:
        if not traffic.tasks:
            return None
        escalations = {call.first.call: call.escalation for call in traffic.calls}
        calls = self._model(target.model)
        for call in calls:
            call.escalation = escalations.get(call.first.call, call.escalation)
        asked = {"route": traffic.route, "at": self._at()}
        (row,) = run_query(self.client, "whatif/route", asked)
        question = Question(target, share, frozenset(row["disqualifying"]), self._days(traffic), cache)
        return answer(traffic, calls, question)

    def _route(self, route: str) -> RouteTraffic:
        if route not in self._routes:
            self._routes[route] = route_traffic(self.client, self.period, route)
        if not self._routes[route].tasks:
            raise LedgerError(
                f"no task began on the route {route!r} in {self.period}; `farebox report` lists the routes there are"
            )
        return self._routes[route]

    def _model(self, model: str) -> list[Call]:
        if model not in self._models:
            self._models[model] = model_calls(self.client, self.period, model)
        return self._models[model]

    def _targets(self, seen: Sequence[dict[str, Any]]) -> Iterator[Target]:
        attempts: dict[tuple[str, str], int] = {}
        for row in seen:
            key = (row["model"], row["provider"])
            attempts[key] = attempts.get(key, 0) + row["attempts"]
        for (model, provider), count in attempts.items():
            if count >= CALLS_MIN:
                try:
                    yield find_target(self.client, model, provider, self._at())
                except (BookError, LedgerError):
                    continue  # what has no price cannot be compared; `farebox prices check` names it

    def _at(self) -> datetime:
        return min(self.now, self.period.until)

    def _days(self, traffic: RouteTraffic) -> float:
        """Say how many days the traffic is of: from its first call, or the period's beginning, a day at least."""
        began = min((call.first.at for call in traffic.calls), default=self.period.since.timestamp())
        return max(1.0, (self._at().timestamp() - max(began, self.period.since.timestamp())) / 86_400)


def _as_recorded(target: Target, attempts: Sequence[Attempt]) -> Lifetime:
    read = float(sum(each.cache_read for each in attempts))
    written = float(sum(each.write_5m + each.write_1h + each.write_other for each in attempts))
    total = sum(each.input_tokens or 0 for each in attempts)
    spend = sum((each.cost for each in attempts if each.cost is not None), start=Decimal(0))
    return Lifetime(target.model, target.provider, "now", len(attempts), read, written, read / (total or 1), spend)
