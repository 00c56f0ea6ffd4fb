"""Reads the traffic that a what-if asks about: attempts, the calls they make up, and the tasks those are part of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from farebox_ledger._period import Period
from farebox_ledger._query import run_query

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

__all__ = ["ATTEMPTS_MAX", "Attempt", "Call", "RouteTraffic", "TaskEnd", "calls_of", "model_calls", "route_traffic"]

ATTEMPTS_MAX = 50_000  # of a route, or of a model: what is older is left out, and that is said
# Ends that are the caller's or the question's doing, whichever model is asked; others are the host's.
OURS = frozenset({"abandoned", "cancelled", "timeout", "client_error"})


@dataclass(frozen=True, slots=True)
class Attempt:
    """One HTTP attempt. Times in seconds since 1970 UTC; None: not reported. `sizes` are bytes up to each boundary."""

    task: str
    call: tuple[str, str]
    number: int
    at: float
    first_byte_s: float
    route: str
    provider: str
    model: str
    instance: str
    script: str
    outcome: str
    reported: bool
    reached: bool  # the model may have seen its prompt
    good: bool
    input_tokens: int | None
    uncached: int
    cache_read: int
    write_5m: int
    write_1h: int
    write_other: int
    output: int | None
    reasoning: int
    cost: Decimal | None
    characters: int | None
    hashes: tuple[str, ...]
    sizes: tuple[int, ...]
    flags: frozenset[str]
    checked: frozenset[str]

    @property
    def size(self) -> int:
        """Bytes of the whole prompt, 0 if they were not measured."""
        return self.sizes[-1] if self.sizes else 0


@dataclass(slots=True)
class Call:
    """What the application asked for once. escalation: it repeats a question that another model answered badly."""

    attempts: list[Attempt]
    escalation: bool = False
    goes_on: bool = False  # a further question of the same task follows

    @property
    def first(self) -> Attempt:
        """The first attempt, which says where the call belongs."""
        return self.attempts[0]

    @property
    def last(self) -> Attempt:
        """The last attempt, which says how the call ended."""
        return self.attempts[-1]

    @property
    def good(self) -> bool:
        """Whether one of its attempts is good."""
        return any(each.good for each in self.attempts)

    @property
    def reported(self) -> Attempt | None:
        """The attempt whose usage was reported, the last if there are several, None if there is none."""
        return next((each for each in reversed(self.attempts) if each.reported and each.input_tokens), None)

    @property
    def cost(self) -> Decimal:
        """USD of its attempts as far as known."""
        return sum((each.cost for each in self.attempts if each.cost is not None), start=Decimal(0))

    @property
    def ended(self) -> str:
        """How it ended: ok, ours (the caller's or the question's doing) or host's."""
        outcome = self.last.outcome
        return "ok" if outcome == "ok" else "ours" if outcome in OURS else "host"


@dataclass(frozen=True, slots=True)
class TaskEnd:
    """What became of a task; USD, None if not known."""

    succeeded: bool
    cost: Decimal | None
    human_cost: Decimal | None
    doubts: int


@dataclass(frozen=True)
class RouteTraffic:
    """The tasks that began on a route, and their calls in the order of time.

    whole: False where the route had more attempts than are read; then calls are of the latest tasks alone.
    """

    route: str
    tasks: Mapping[str, TaskEnd]
    calls: Sequence[Call]
    whole: bool
    spend: Decimal | None = field(init=False)

    def __post_init__(self) -> None:
        known = [each.cost for each in self.tasks.values() if each.cost is not None]
        object.__setattr__(self, "spend", sum(known, start=Decimal(0)) if known else None)

    @property
    def successes(self) -> int:
        """Tasks that succeeded."""
        return sum(each.succeeded for each in self.tasks.values())

    @property
    def doubts(self) -> int:
        """Attempts, and minutes of people, whose cost is not known, or in part alone."""
        return sum(each.doubts for each in self.tasks.values())


def route_traffic(client: Client, period: Period, route: str) -> RouteTraffic:
    """Read the tasks that began on a route in a period, with all their calls."""
    asked = {"since": period.since, "until": period.until, "route": route}
    ends = {
        row["task"]: TaskEnd(
            bool(row["succeeded"]),
            row["known_cost"],
            row["human_cost"],
            row["unpriced"] + row["partial"] + row["human_unpriced"],
        )
        for row in run_query(client, "whatif/tasks", asked)
    }
    attempts = _read(client, {**asked, "provider": "", "model": ""})
    calls = [call for call in calls_of(attempts) if call.first.task in ends]
    whole = len(attempts) < ATTEMPTS_MAX
    if not whole:
        read = {call.first.task for call in calls}
        ends = {task: end for task, end in ends.items() if task in read}
    return RouteTraffic(route, ends, calls, whole)


def model_calls(client: Client, period: Period, model: str, provider: str = "") -> list[Call]:
    """Read the calls that a model answered in a period, at one provider or at all."""
    asked = {"since": period.since, "until": period.until, "route": "", "provider": provider, "model": model}
    return calls_of(_read(client, asked))


def calls_of(attempts: Iterable[Attempt]) -> list[Call]:
    """Put attempts together into calls in the order of time, and tell which repeat a question of the one before."""
    by_call: dict[tuple[str, str], Call] = {}
    for each in attempts:
        by_call.setdefault(each.call, Call([])).attempts.append(each)
    calls = list(by_call.values())
    for call in calls:
        call.attempts.sort(key=lambda each: (each.number, each.at))
    calls.sort(key=lambda call: call.first.at)
    by_task: dict[str, list[Call]] = {}
    for call in calls:
        by_task.setdefault(call.first.task, []).append(call)
    for of_task in by_task.values():
        for before, after in pairwise(of_task):
            after.escalation = _repeats(before, after)
        follows = False
        for call in reversed(of_task):
            call.goes_on = follows
            follows = follows or not call.escalation
    return calls


def _repeats(before: Call, after: Call) -> bool:
    """Tell whether a call asks another model what the one before it answered badly."""
    other = (before.first.provider, before.first.model) != (after.first.provider, after.first.model)
    same = before.first.characters is not None and before.first.characters == after.first.characters
    return not before.good and other and same


def _read(client: Client, asked: Mapping[str, Any]) -> list[Attempt]:
    rows = run_query(client, "whatif/attempts", {**asked, "limit": ATTEMPTS_MAX})
    return [_attempt(row) for row in reversed(rows)]


def _attempt(row: Mapping[str, Any]) -> Attempt:
    return Attempt(
        task=row["task"],
        call=(row["trace_id"], row["call_id"]),
        number=row["attempt"],
        at=row["started_us"] / 1e6,
        first_byte_s=row["first_byte_us"] / 1e6,
        route=row["route"],
        provider=row["provider"],
        model=row["model"],
        instance=row["instance"],
        script=row["script"],
        outcome=row["outcome"],
        reported=row["usage_state"] == "reported" and row["output"] is not None,
        reached=row["usage_state"] != "none",
        good=bool(row["good"]),
        input_tokens=row["input_tokens"],
        uncached=row["uncached"] or 0,
        cache_read=row["cache_read"] or 0,
        write_5m=row["write_5m"] or 0,
        write_1h=row["write_1h"] or 0,
        write_other=row["write_other"] or 0,
        output=row["output"],
        reasoning=row["reasoning"] or 0,
        cost=row["list_cost"],
        characters=row["characters"],
        hashes=tuple(row["hashes"]),
        sizes=tuple(row["sizes"]),
        flags=frozenset(row["flags"]),
        checked=frozenset(row["checked"]),
    )
