"""Seven days of a shop that calls models, planned from a seed: what was asked and answered, and what it truly cost.

The plan is both what the shop does (`week_shop.py`) and the book that the ledger is held against: prices are those of
the simulated providers, sums are Decimals, and nothing here knows how farebox counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random

from farebox_demo.providers._prices import PRICES

__all__ = [
    "BEGIN",
    "CANARY",
    "DAY",
    "DEPLOYED",
    "END",
    "HAIKU",
    "HOUR",
    "MINI",
    "NEW_OUTPUT_PRICE",
    "OUTAGE",
    "QWEN",
    "REPRICED_AT",
    "SONNET",
    "SPIKE",
    "UNKNOWN",
    "Attempt",
    "Call",
    "Task",
    "added",
    "attempts",
    "plan",
    "tasks",
]

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
BEGIN = datetime(2026, 11, 3, tzinfo=UTC)
END = BEGIN + 7 * DAY
OPENS, CLOSES = 8, 20

# Friday: a new version of the prompt, thrice as long, asked six times as often, until somebody takes it back.
DEPLOYED = BEGIN + 3 * DAY + 14 * HOUR
SPIKE = (DEPLOYED, DEPLOYED + 2 * HOUR)
OUTAGE = (BEGIN + 4 * DAY + 13 * HOUR, BEGIN + 4 * DAY + 15 * HOUR)  # Saturday
REPRICED_AT = BEGIN + 5 * DAY  # Sunday
CANARY = BEGIN + 5 * DAY + 9 * HOUR  # from then on a model is tried that no book knows
TIMEOUTS_ON, CUTS_ON = BEGIN + 2 * DAY, BEGIN + DAY

HAIKU, SONNET = ("anthropic", "claude-haiku-4-5"), ("anthropic", "claude-sonnet-4-6")
QWEN, MINI = ("fireworks", "qwen3.5-flash"), ("openai", "gpt-5.4-mini")
UNKNOWN = ("anthropic", "claude-opus-9")
NEW_OUTPUT_PRICE = Decimal("0.0000018")
# What the provider bills for a model that its price list does not have yet.
UNKNOWN_PRICE = {"uncached_input": Decimal("0.000002"), "output": Decimal("0.00001")}

TOOK_S = {"ok": 0.8, "abandoned": 0.4, "rate_limited": 0.1, "server_error": 0.2, "timeout": 30.0}
USAGE_STATE = {"ok": "reported", "abandoned": "partial", "timeout": "missing"}
TENANTS = ("acme", "globex", "initech")


@dataclass
class Attempt:
    """One request as it went: `tokens` are what the provider counted and bills, whoever came to know of it."""

    call: Call
    number: int
    at: datetime
    how: str
    tokens: dict[str, int] = field(default_factory=dict)

    @property
    def usage_state(self) -> str:
        """Whether the caller got the usage."""
        return USAGE_STATE.get(self.how, "none")

    @property
    def seen(self) -> dict[str, int]:
        """The tokens that reached the caller; a stream that is cut off has told its input and a placeholder of 1."""
        if self.usage_state == "reported":
            return self.tokens
        return {**self.tokens, "output": 1} if self.usage_state == "partial" else {}

    @property
    def price_state(self) -> str:
        """What can be said of its cost."""
        if self.usage_state in ("none", "missing"):
            return {"none": "free", "missing": "no_usage"}[self.usage_state]
        if self.call.model == UNKNOWN:
            return "no_price"
        return "partial" if self.usage_state == "partial" else "priced"

    @property
    def cost(self) -> Decimal | None:
        """Work out what is known of its cost, in USD; None where nothing is."""
        return None if self.price_state in ("no_usage", "no_price") else self._worth(self.seen)

    @property
    def billed(self) -> Decimal:
        """Work out what the provider bills."""
        return self._worth(self.tokens)

    @property
    def doubtful(self) -> bool:
        """Whether its cost is unknown, or a lower bound."""
        return self.price_state in ("no_usage", "no_price", "partial")

    @property
    def good(self) -> bool:
        """Whether it ended well, with an answer that is of use."""
        return self.how == "ok" and self.call.answer == "plain"

    def price(self, name: str) -> Decimal:
        """Give the price of one token of a class at that time."""
        if self.call.model == UNKNOWN:
            return UNKNOWN_PRICE[name]
        if self.call.model == QWEN and name == "output" and self.at >= REPRICED_AT:
            return NEW_OUTPUT_PRICE
        found: Decimal = getattr(PRICES[self.call.model], name)
        return found

    def part(self, name: str) -> Decimal:
        """Work out what is known to be spent on a class of tokens."""
        used = 0 if self.cost is None else self.seen.get(name, 0)
        return used * self.price(name) if used else Decimal(0)

    def _worth(self, tokens: dict[str, int]) -> Decimal:
        return sum((units * self.price(name) for name, units in tokens.items()), Decimal(0))


@dataclass
class Call:
    """One call of an SDK with its attempts, of one task; `answer` is plain, refusal or truncated."""

    route: str
    task: str
    tenant: str
    model: tuple[str, str]
    prompt_version: str = ""
    answer: str = "plain"
    input_tokens: int = 0
    attempts: list[Attempt] = field(default_factory=list)

    @property
    def at(self) -> datetime:
        """When it begins."""
        return self.attempts[0].at

    @property
    def good(self) -> bool:
        """Whether one of its attempts was good."""
        return any(each.good for each in self.attempts)

    def tried(self, at: datetime, *hows: str, **tokens: int) -> Call:
        """Add attempts one after the other; refused ones use no tokens."""
        self.input_tokens = sum(units for name, units in tokens.items() if name != "output")
        for how in hows:
            used = {} if how in ("rate_limited", "server_error") else tokens
            self.attempts.append(Attempt(self, len(self.attempts), at, how, used))
            at += timedelta(seconds=TOOK_S[how])
        return self


@dataclass
class Task:
    """A task with all its calls."""

    name: str
    calls: list[Call] = field(default_factory=list)

    @property
    def route(self) -> str:
        """The route of its first call, which bears all its money."""
        return self.calls[0].route

    @property
    def reported(self) -> bool | None:
        """What the shop says later, None if nothing: each day's ticket of four o'clock is opened again."""
        at = self.calls[0].at
        return False if self.route == "support" and (at.hour, at.minute) == (16, 0) else None

    @property
    def succeeded(self) -> bool:
        """Whether it succeeded: as reported, else as its last call went."""
        return self.calls[-1].good if self.reported is None else self.reported


def plan(seed: int = 5) -> list[Call]:
    """Plan the week's calls, in the order in which they are made."""
    made: list[Call] = []
    random = Random(seed)
    for day in range(7):
        for hour in range(OPENS, CLOSES):
            made += _hour(random, BEGIN + day * DAY + hour * HOUR)
    return made


def attempts(calls: Iterable[Call], keep: Callable[[Attempt], bool] = lambda _: True) -> list[Attempt]:
    """Give the attempts of calls."""
    return [each for call in calls for each in call.attempts if keep(each)]


def tasks(calls: Iterable[Call]) -> list[Task]:
    """Put calls of the same task together, in the order in which tasks began."""
    found: dict[str, Task] = {}
    for call in calls:
        found.setdefault(call.task, Task(call.task)).calls.append(call)
    return list(found.values())


def added(some: Iterable[Attempt]) -> Decimal:
    """Add up what is known of their cost."""
    return sum((each.cost for each in some if each.cost is not None), Decimal(0))


def _hour(random: Random, hour: datetime) -> Iterator[Call]:
    """Plan one hour, a slot of 100 seconds after the other: who calls in each is always the same."""
    spiking = SPIKE[0] <= hour < SPIKE[1]
    for slot in range(36):
        at, number = hour + timedelta(seconds=100 * slot), f"{hour:%d%H}-{slot:03d}"
        if slot % 12 == 0:
            yield from _support(random, at, f"ticket-{number}")
        elif slot % 4 == 1:
            yield from _easy(random, at, f"question-{number}")
        elif slot in (6, 30) or (spiking and slot % 3 == 2):
            yield _report(random, at, f"report-{number}")
        elif slot == 19 and hour >= CANARY:
            call = Call("canary", f"canary-{number}", "acme", UNKNOWN)
            yield call.tried(at, "ok", uncached_input=random.randrange(1000, 3000), output=random.randrange(100, 400))


def _support(random: Random, at: datetime, task: str) -> Iterator[Call]:
    """A ticket, with a long prompt that is cached; a refusal goes to the dearer model, as the same task."""
    tenant = random.choice(TENANTS)
    answer = random.choices(["plain", "refusal", "truncated"], [88, 8, 4])[0]
    tokens = {"uncached_input": random.randrange(2000, 4000), "output": random.randrange(200, 500)}
    tokens |= {"cache_write_5m": 6000} if at.minute == 0 else {"cache_read": 6000}
    timed_out = TIMEOUTS_ON <= at < TIMEOUTS_ON + DAY and at.hour in (10, 14) and at.minute == 0
    hows = ("timeout",) if timed_out else ("rate_limited", "ok") if random.random() < 0.05 else ("ok",)
    first = Call("support", task, tenant, HAIKU, answer=answer).tried(at, *hows, **tokens)
    yield first
    if answer == "refusal" and not timed_out:
        again = Call("support", task, tenant, SONNET)
        yield again.tried(at + timedelta(seconds=20), "ok", uncached_input=first.input_tokens, output=400)


def _easy(random: Random, at: datetime, task: str) -> Iterator[Call]:
    """A question for the cheap model; while its host is down, another one answers."""
    tenant, down = random.choice(TENANTS), OUTAGE[0] <= at < OUTAGE[1]
    tokens = {"uncached_input": random.randrange(400, 1500), "output": random.randrange(100, 300)}
    hows = ("server_error",) * 3 if down else ("ok",)
    yield Call("easy", task, tenant, QWEN).tried(at, *hows, **tokens)
    if down:
        yield Call("easy", task, tenant, MINI).tried(at + timedelta(seconds=5), "ok", **tokens)


def _report(random: Random, at: datetime, task: str) -> Call:
    """A report, of many tokens; some that are streamed are left in the middle."""
    spiking = SPIKE[0] <= at < SPIKE[1]
    cut = CUTS_ON <= at < CUTS_ON + DAY and at.hour in (9, 11, 16) and at.minute < 20
    tokens = {"uncached_input": random.randrange(18_000, 22_000) * (3 if spiking else 1)}
    call = Call("reports", task, random.choice(TENANTS), SONNET, "v7" if spiking else "v6")
    return call.tried(at, "abandoned" if cut else "ok", **tokens, output=random.randrange(900, 1100))
