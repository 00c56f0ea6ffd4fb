"""What the book of the week comes to, for whoever asks about it: the report's figures, an hour, a bill."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from audit.invoices import Call as Invoiced
from audit.invoices import anthropic_cost, anthropic_usage, openai_costs, openai_usage, sums, table, text
from audit.test_planted import MAPPING
from end_to_end.week import MINI, Attempt, Call, Task, added, attempts, plan, tasks

from farebox_demo.providers._prices import PRICES

__all__ = [
    "CALLS", "CLASSES", "Keep", "as_row", "beyond", "billed_by", "figures", "of_model", "of_route", "per_success",
    "within", "write_bills",
]  # fmt: skip

CALLS = plan()
DIGITS = Decimal("1e-12")
CLASSES = {
    "input": "uncached_input",
    "cache_read": "cache_read",
    "cache_write": "cache_write_5m",
    "output": "output",
}
Keep = Callable[[Attempt], bool]


def of_route(route: str) -> Keep:
    """Keep the attempts of a route."""
    return lambda each: each.call.route == route


def of_model(model: tuple[str, str]) -> Keep:
    """Keep the attempts of a model at a provider."""
    return lambda each: each.call.model == model


def within(since: datetime, until: datetime, keep: Keep = lambda _: True) -> list[Attempt]:
    """Give the attempts that began in a stretch of time."""
    return attempts(CALLS, lambda each: since <= each.at < until and keep(each))


def per_success(some: Sequence[Task]) -> Decimal | None:
    """Divide the money of tasks by their successes; None where one is unknown, or there are none."""
    money, successes = added(attempts(call for task in some for call in task.calls)), sum(t.succeeded for t in some)
    return (money / successes).quantize(DIGITS) if money and successes else None


def figures(mine: Callable[[Call], bool]) -> dict[str, Any]:
    """Count what the report says of a group: of its attempts, of its calls, and of the tasks that began in it."""
    calls = [call for call in CALLS if mine(call)]
    begun = [task for task in tasks(CALLS) if mine(task.calls[0])]
    made = attempts(calls)
    known = any(each.cost is not None for each in made)
    read = sum(each.seen.get("cache_read", 0) for each in made)
    given = sum(units for each in made for name, units in each.seen.items() if name != "output")
    of_tasks = attempts(call for task in begun for call in task.calls)
    return {
        "calls": len(calls),
        "attempts": len(made),
        "spend": added(made) if known else None,
        "spend_by_class": {
            name: sum((each.part(leaf) for each in made), Decimal(0)) if known else None
            for name, leaf in {**CLASSES, "tools": "tools"}.items()
        },
        "tasks": len(begun),
        "successes": sum(task.succeeded for task in begun),
        "task_spend": added(of_tasks) if known and begun else None,
        "spend_per_success": per_success(begun),
        "failed_calls": sum(not call.good for call in calls),
        "failure_rate": sum(not call.good for call in calls) / len(calls),
        "cached_tokens": read,
        "input_tokens": given,
        "cache_hit_rate": read / given,
        "no_price": sum(each.price_state == "no_price" for each in made),
        "no_usage": sum(each.price_state == "no_usage" for each in made),
        "partial": sum(each.price_state == "partial" for each in made),
    }


def as_row(each: Attempt) -> dict[str, Any]:
    """Lay an attempt out as the independent split of a spike reads the ledger's rows."""
    leaves = ("uncached_input", "cache_read", "cache_write_1h", "output")
    return {
        "provider": each.call.model[0],
        "model": each.call.model[1],
        "kind": "attempt",
        "attempt": each.number,
        "price_state": each.price_state,
        "list_cost": each.cost,
        "units": [*(each.seen.get(leaf, 0) for leaf in leaves), 0],
        "costs": [*(each.part(leaf) for leaf in leaves), Decimal(0)],
    }


@dataclass(frozen=True, kw_only=True)
class Billed(Invoiced):
    """What a provider bills for an attempt, whoever knows of it."""

    attempt: Attempt

    def price(self, name: str) -> Decimal:
        """Give the provider's price at that time."""
        return self.attempt.price(name)


def billed_by(provider: str) -> list[Billed]:
    """Give what a provider bills for the week."""
    tier = "standard" if provider == "anthropic" else "default"
    made = attempts(CALLS, lambda each: each.call.model[0] == provider and bool(each.tokens))
    return [Billed(*each.call.model, each.at, each.tokens, tier=tier, attempt=each) for each in made]


def beyond(some: Sequence[Attempt]) -> Decimal:
    """Work out what is billed for attempts beyond what the ledger can know of them."""
    return sum((each.billed - (each.cost or 0) for each in some), Decimal(0))


def write_bills(folder: Path) -> dict[str, tuple[str, list[Path]]]:
    """Write each provider's bill as it exports it: options of `farebox reconcile`, and files."""
    anthropic, openai, fireworks = (billed_by(name) for name in ("anthropic", "openai", "fireworks"))
    mini = {name: getattr(PRICES[MINI], name) for name in ("uncached_input", "cache_read", "output")}
    rows = [
        {"day": place[0], "model": place[3], "unit": name, "tokens": units, "amount": f"{dollars:f}", "currency": "USD"}
        for (place, name), (units, dollars) in sums(fireworks).items()
    ]
    written = {
        "anthropic-usage.json": text(anthropic_usage(anthropic)),
        "anthropic-cost.json": text(anthropic_cost(anthropic)),
        "openai-usage.json": text(openai_usage(openai)),
        "openai-costs.json": text(openai_costs(openai, mini)),
        "fireworks.csv": table(rows),
        "fireworks.toml": MAPPING.format(provider="fireworks"),
    }
    for name, content in written.items():
        (folder / name).write_text(content, encoding="utf-8")
    return {
        "anthropic": ("", [folder / "anthropic-usage.json", folder / "anthropic-cost.json"]),
        "openai": ("", [folder / "openai-usage.json", folder / "openai-costs.json"]),
        "fireworks": (f"--mapping {folder / 'fireworks.toml'}", [folder / "fireworks.csv"]),
    }
