"""Nine days of seeded traffic: a spike, a deployment, a new price, an outage, a model without a price, hostile names.

What it costs is worked out here, in Python, from prices written down here: a second opinion on every panel's figures.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random

from clickhouse_connect.driver.client import Client
from ledger.spans import NOW, Span, attempt, outcome

__all__ = [
    "BACKSLASHES",
    "DAY",
    "HOSTILE",
    "HOUR",
    "LOST",
    "OUTAGE",
    "PRICES",
    "QWEN",
    "REPRICED_AT",
    "ROUTES",
    "SPIKE",
    "TENANT",
    "UNTIL",
    "Made",
    "added",
    "deployment",
    "insert_collector_health",
    "insert_what_is_decided",
    "make_traffic",
    "report_of",
    "reports",
    "set_new_price",
    "spans",
    "traced",
    "within",
]

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
UNTIL = NOW + timedelta(minutes=25)
SINCE = UNTIL - 9 * DAY
SPIKE = (NOW - 5 * HOUR, NOW - 2 * HOUR)
REPRICED_AT = NOW - 20 * HOUR
OUTAGE = (NOW - 30 * HOUR, NOW - 28 * HOUR)

HOSTILE = 'agent\'s "plan" -- , /* ${route} $__nosuch(1) & 100%'
BACKSLASHES = "a\\' OR 1=1 OR 'b\\"
UNICODE = "検索-søk 🚕"
ROUTES = ("support", HOSTILE, BACKSLASHES, UNICODE)
TENANT = "it's \\ acme"
TENANTS = ("", TENANT, "globex")

HAIKU, SONNET, QWEN, UNKNOWN = "claude-haiku-4-5", "claude-sonnet-4-6", "qwen3.5-flash", "claude-haiku-9"
# Dollars a token: input, cache read, cache write (5 minutes), output.
PRICES = {
    HAIKU: ("0.000001", "0.0000001", "0.00000125", "0.000005"),
    SONNET: ("0.000003", "0.0000003", "0.00000375", "0.000015"),
    QWEN: ("0.0000003", "0.00000015", "0.0000003", "0.0000012"),
}
# How many attempts got lost before some of the last.
LOST = {-40: 2, -25: 1}
# What Qwen's output costs from REPRICED_AT on.
NEW_PRICE = "0.0000018"
FREE_OUTCOMES = ("rate_limited", "server_error")
DISQUALIFYING = ("tool_call_malformed", "truncated", "refusal", "empty", "loop")


@dataclass
class Made:
    """One attempt as it was made; `cost` is in USD, None if it cannot be known."""

    route: str
    tenant: str
    model: str
    started_at: datetime
    call_id: str
    trace_id: str
    attempt: int
    task: str
    outcome: str = "ok"
    usage_state: str = "reported"
    tokens: dict[str, int] = field(default_factory=dict)
    flags: tuple[str, ...] = ()
    checked: tuple[str, ...] = ()
    tool_calls: int | None = None
    malformed: int | None = None
    tools: tuple[str, ...] = ()
    malformed_tools: tuple[str, ...] = ()
    prompt_version: str = ""
    language: str = ""
    instance: str = ""
    seq: int = 0
    duration_ms: float = 0
    ttft_ms: float | None = None

    @property
    def provider(self) -> str:
        """Who bills."""
        return "fireworks" if self.model == QWEN else "anthropic"

    @property
    def cost(self) -> Decimal | None:
        """Work out what it cost from the prices above."""
        if self.usage_state == "none":
            return Decimal(0)
        if self.usage_state == "missing" or self.model not in PRICES:
            return None
        names = ("uncached_input_tokens", "cache_read_tokens", "cache_write_5m_tokens")
        prices = [Decimal(price) for price in PRICES[self.model][:3]]
        return sum((self.tokens.get(name, 0) * price for name, price in zip(names, prices, strict=True)), self.cost_out)

    @property
    def cost_out(self) -> Decimal:
        """Work out what its output cost."""
        price = NEW_PRICE if self.model == QWEN and self.started_at >= REPRICED_AT else PRICES[self.model][3]
        return self.tokens.get("output_tokens", 0) * Decimal(price)

    @property
    def saved(self) -> Decimal:
        """Work out what caching saved."""
        plain, read, write, _ = (Decimal(price) for price in PRICES[self.model])
        return self.tokens.get("cache_read_tokens", 0) * (plain - read) + self.tokens.get(
            "cache_write_5m_tokens", 0
        ) * (plain - write)

    @property
    def doubtful(self) -> bool:
        """Whether its cost is unknown or a lower bound."""
        return self.cost is None or self.usage_state == "partial"

    @property
    def good(self) -> bool:
        """Whether it ended ok without a flag that disqualifies."""
        return self.outcome == "ok" and not any(flag.partition(".")[0] in DISQUALIFYING for flag in self.flags)

    @property
    def input_tokens(self) -> int:
        """All input, caches among it."""
        return sum(count for name, count in self.tokens.items() if name != "output_tokens")

    def span(self) -> Span:
        """Make the span that the collector would store."""
        optional: dict[str, object] = {
            "tool_calls": self.tool_calls,
            "tool_calls_malformed": self.malformed,
            "time_to_first_token_ms": self.ttft_ms,
            "task": self.task or None,
            "tenant": self.tenant or None,
            "prompt_version": self.prompt_version or None,
            "language": self.language or None,
            "instance": self.instance,
            "seq": self.seq,
            "tool_names": json.dumps(self.tools) if self.tools else None,
            "malformed_tools": json.dumps(self.malformed_tools) if self.malformed_tools else None,
        }
        name = "accounts/fireworks/models/qwen3p5-flash" if self.model == QWEN else self.model
        return attempt(
            name,
            self.provider,
            usage=self.tokens,
            started_at=self.started_at,
            trace_id=self.trace_id,
            span_id=f"{self.attempt:x}{self.call_id[1:]}",
            route=self.route,
            usage_state=self.usage_state,
            outcome=self.outcome,
            call_id=self.call_id,
            attempt=self.attempt,
            flags=json.dumps(self.flags),
            checked=json.dumps(self.checked),
            duration_ms=self.duration_ms,
            **{key: value for key, value in optional.items() if value is not None},
        )


def make_traffic(seed: int = 7) -> list[Made]:
    """Make the attempts of nine days, in order of their calls."""
    random = Random(seed)
    made: list[Made] = []
    moment = SINCE
    number = 0
    while moment < UNTIL:
        number += 1
        spiking = SPIKE[0] <= moment < SPIKE[1]
        made += _call(random, number, moment, "support" if spiking else random.choice(ROUTES))
        moment += timedelta(seconds=random.uniform(20, 120) if spiking else random.uniform(120, 1500))
    _number(made)
    return made


def set_new_price(client: Client) -> None:
    """Put the new price into the book, as `farebox.toml` would."""
    columns = ["provider", "model", "unit", "valid_from", "price", "source", "book", "checked_on", "added_at"]
    row = ["fireworks", QWEN, "output_tokens", REPRICED_AT, Decimal(NEW_PRICE), "contract", "user", NOW.date(), NOW]
    client.insert("prices", [row], column_names=columns)
    client.command("SYSTEM RELOAD DICTIONARY price")


def deployment() -> Span:
    """Make the mark of the deployment that begins the spike."""
    texts = {"farebox.annotation.kind": "deploy", "farebox.annotation.text": "shop v7", "farebox.annotation.who": "ann"}
    return Span(texts, SPIKE[0], name="farebox.annotation")


def reports() -> list[Span]:
    """Make what the clients say of themselves, and a call that another instrumentation reports."""
    counts = {"recorded": 900, "dropped": 2, "spans_dropped": 1, "spans_refused": 3, "waiting": 4, "tags_limited": 5}
    health = {f"farebox.health.{name}": str(count) for name, count in counts.items()}
    return [
        Span({**health, "farebox.instance": "web-1"}, NOW, name="farebox.health"),
        Span({"farebox.instance": "web-1", "farebox.health.recorded": "1"}, NOW - HOUR, name="farebox.health"),
        Span({"farebox.instance": "web-9", "farebox.health.recorded": "7"}, NOW, name="farebox.health"),
        Span({"gen_ai.operation.name": "chat", "gen_ai.system": "anthropic"}, NOW, scope="langchain"),
    ]


def insert_what_is_decided(client: Client) -> None:
    """Write budgets, and how two days' bills compare with the ledger."""
    columns = ["name", "period", "amount", "applies_to", "valid_from"]
    budgets = [["all", "month", 10, {}, SINCE], ["support", "day", Decimal("0.5"), {"route": "support"}, SINCE]]
    client.insert("budgets", budgets, column_names=columns)
    columns = ["run", "checked_at", "provider", "day", "currency", "billed", "recorded", "tolerance"]
    day, earlier = NOW.date(), (NOW - DAY).date()
    checks = [
        ["1", NOW - HOUR, "anthropic", day, "USD", Decimal("1.25"), Decimal(1), Decimal("0.01")],
        ["2", NOW, "anthropic", day, "USD", Decimal("1.005"), Decimal(1), Decimal("0.01")],
        ["2", NOW, "anthropic", earlier, "USD", Decimal("1.5"), Decimal(1), Decimal("0.01")],
    ]
    client.insert("bill_checks", checks, column_names=columns)


def insert_collector_health(client: Client) -> None:
    """Write what `farebox up` would say of two minutes."""
    columns = ["minute", "instance", "spans_received", "spans_stored", "spans_duplicate", "spans_rejected", "lag_s"]
    rows = [[NOW, "up", 100, 90, 7, 3, 0.5], [NOW + timedelta(minutes=1), "up", 10, 10, 0, 0, 2.5]]
    client.insert("collector_health", rows, column_names=columns)


def traced(made: list[Made]) -> list[Made]:
    """Give the attempts of the task that Trace is asked for: the last one of several calls."""
    calls = Counter(each.task for each in made if each.attempt == 0 and each.task)
    last = next(each for each in reversed(made) if calls[each.task] > 1)
    return [each for each in made if each.task == last.task]


def report_of(made: list[Made]) -> Span:
    """Make the application's report of a task, which says what its last call says."""
    return outcome(made[0].task, any(each.good for each in made if each.call_id == made[-1].call_id))


def spans(made: Iterable[Made]) -> list[Span]:
    """Make the spans of attempts."""
    return [each.span() for each in made]


def within(
    made: Iterable[Made], since: datetime, until: datetime, keep: Callable[[Made], bool] = lambda _: True
) -> list[Made]:
    """Give the attempts that began in a period."""
    return [each for each in made if since <= each.started_at < until and keep(each)]


def added(made: Iterable[Made]) -> Decimal | None:
    """Add up what is known of their cost; None if nothing is."""
    known = [each.cost for each in made if each.cost is not None]
    return sum(known, Decimal(0)) if known else None


def _number(made: list[Made]) -> None:
    """Number the attempts as clients do, without gaps but where LOST says that some never arrived."""
    numbers = {"web-1": 0, "web-2": 0}
    for place, each in enumerate(made):
        each.instance = "web-1" if each.route == "support" else "web-2"
        numbers[each.instance] += 1 + LOST.get(place - len(made), 0)
        each.seq = numbers[each.instance]


def _call(random: Random, number: int, moment: datetime, route: str) -> list[Made]:
    models = [HAIKU, SONNET, QWEN, UNKNOWN] if moment > UNTIL - 2 * DAY else [HAIKU, SONNET, QWEN]
    model = random.choices(models, [6, 2, 4, 1][: len(models)])[0]
    tenant = random.choice(TENANTS)
    task = f"task-{number // 3}-{route}-{tenant}" if random.random() < 0.4 else ""
    call_id, trace_id = f"{number:016x}", f"{number:032x}"
    made: list[Made] = []
    for turn in range(3):
        one = Made(route, tenant, model, moment + turn * timedelta(seconds=2), call_id, trace_id, turn, task)
        one.prompt_version = "" if route == UNICODE else "v6" if moment < SPIKE[0] else "v7"
        made.append(one)
        down = model == QWEN and OUTAGE[0] <= moment < OUTAGE[1]
        if _refused(random, one, down):
            continue
        _answered(random, one)
        break
    return made


def _refused(random: Random, one: Made, down: bool) -> bool:
    one.duration_ms = float(random.randrange(50, 400))
    if down or random.random() < 0.06:
        one.outcome, one.usage_state = random.choice(FREE_OUTCOMES), "none"
        return True
    if random.random() < 0.02:
        one.outcome, one.usage_state, one.duration_ms = "timeout", "missing", 30_000.0
        return True
    return False


def _answered(random: Random, one: Made) -> None:
    one.tokens = {"uncached_input_tokens": random.randrange(200, 4000), "output_tokens": random.randrange(1, 900)}
    one.duration_ms = float(random.randrange(300, 9000))
    if random.random() < 0.7:
        one.ttft_ms = float(random.randrange(80, 300))
    if one.model in (HAIKU, SONNET) and random.random() < 0.5:
        one.tokens["cache_read_tokens"] = random.randrange(0, 5000)
        one.tokens["cache_write_5m_tokens"] = random.randrange(0, 2000)
    if random.random() < 0.03:
        one.outcome, one.usage_state = "abandoned", "partial"
        return
    if random.random() < 0.15:
        one.tokens["uncached_input_tokens"] = random.choice([9_000, 30_000, 90_000])
    one.checked = ("refusal", "disclaimer")
    one.language = random.choice(["en", "en", "de", "ja", ""])
    if random.random() < 0.05:
        one.flags += ("refusal.text",)
    if random.random() < 0.1:
        one.flags += ("disclaimer",)
    if random.random() < 0.4:
        one.checked += ("unknown_import",)
        if random.random() < 0.1:
            one.flags += ("unknown_import",)
    if random.random() < 0.5:
        one.checked += ("tool_call_malformed",)
        one.tool_calls, one.malformed = random.randrange(1, 5), 0
        one.tools = tuple(sorted({random.choice(["search", "refund"]) for _ in range(one.tool_calls)}))
        if random.random() < 0.15:
            one.malformed = random.randrange(1, one.tool_calls + 1)
            one.malformed_tools = one.tools[: one.malformed]
            one.flags += ("tool_call_malformed.type",)
