"""Calls, the spans that farebox makes of them, and the bills that providers make of them, at the demo's own prices."""

from __future__ import annotations

import csv
import io
import json
import random
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any

from ledger.spans import Span, attempt

from farebox_demo.providers._prices import PRICES

FIRST = date(2026, 11, 3)
DAYS = 8
LEAVES = {
    "uncached_input": "uncached_input_tokens",
    "cache_read": "cache_read_tokens",
    "cache_write_5m": "cache_write_5m_tokens",
    "cache_write_1h": "cache_write_1h_tokens",
    "output": "output_tokens",
}
_sequence = count()


@dataclass(frozen=True)
class Call:
    """One call as it really was: what it used, and where it belongs."""

    provider: str
    model: str
    at: datetime
    tokens: Mapping[str, int]
    workspace: str = ""
    project: str = ""
    tier: str = "standard"
    seq: int = field(default_factory=lambda: next(_sequence))

    def price(self, name: str) -> Decimal:
        """Give the provider's price of a token of a class."""
        found: Decimal = getattr(PRICES[self.provider, self.model], name)
        return found

    def cost(self) -> Decimal:
        """Price it as the provider does."""
        return sum((self.price(name) * units for name, units in self.tokens.items()), Decimal(0))

    def span(self, **changes: Any) -> Span:
        """Give what farebox records of it."""
        leaves = {LEAVES[name]: units for name, units in self.tokens.items()}
        said = {
            "workspace": self.workspace,
            "project": self.project,
            "service_tier": self.tier,
            "instance": f"{self.provider}-1",
            "seq": self.seq,
            **changes,
        }
        usage = said.pop("usage", leaves)
        said = {name: value for name, value in said.items() if value != ""}
        return attempt(self.model, self.provider, usage=usage, started_at=self.at, **said)


def traffic(provider: str, model: str, a_day: int = 12, seed: int = 1, **where: str) -> list[Call]:
    """Make calls over all days and hours, the same for the same seed."""
    dice = random.Random(f"{provider} {model} {seed}")
    writes = ("cache_write_5m",) if provider == "anthropic" else ()
    calls = []
    for day in range(DAYS):
        for _ in range(a_day):
            at = datetime(FIRST.year, FIRST.month, FIRST.day, tzinfo=UTC) + timedelta(
                days=day, seconds=dice.randrange(86_400)
            )
            tokens = {
                "uncached_input": dice.randrange(500, 90_000),
                "cache_read": dice.randrange(0, 40_000),
                **{write: dice.randrange(100, 9_000) for write in writes},
                "output": dice.randrange(50, 20_000),
            }
            calls.append((at, tokens))
    # Clients number their attempts in the order in which they begin.
    return [Call(provider, model, at, tokens, **where) for at, tokens in sorted(calls, key=lambda each: each[0])]


def day_of(call: Call, hours_ahead: int = 0) -> date:
    """Say on which day a call falls, where days begin some hours before UTC's."""
    return (call.at + timedelta(hours=hours_ahead)).date()


Place = tuple[date, str, str, str, str]


def sums(calls: Iterable[Call], hours_ahead: int = 0) -> dict[tuple[Place, str], tuple[int, Decimal]]:
    """Add calls up by day, workspace, project, model, tier and class: tokens and dollars."""
    found: dict[tuple[Place, str], tuple[int, Decimal]] = defaultdict(lambda: (0, Decimal(0)))
    for call in calls:
        place = (day_of(call, hours_ahead), call.workspace, call.project, call.model, call.tier)
        for name, units in call.tokens.items():
            was = found[place, name]
            found[place, name] = was[0] + units, was[1] + units * call.price(name)
    return dict(sorted(found.items()))


ANTHROPIC_TYPES = {
    "uncached_input": "uncached_input_tokens",
    "cache_read": "cache_read_input_tokens",
    "cache_write_5m": "cache_creation.ephemeral_5m_input_tokens",
    "cache_write_1h": "cache_creation.ephemeral_1h_input_tokens",
    "output": "output_tokens",
}


def _bounds(day: date) -> dict[str, str]:
    return {"starting_at": f"{day}T00:00:00Z", "ending_at": f"{day + timedelta(days=1)}T00:00:00Z"}


def anthropic_usage(calls: Iterable[Call]) -> dict[str, Any]:
    """Write a usage report as the Admin API does, a bucket a day, empty ones too."""
    rows: dict[Place, dict[str, Any]] = {}
    for (place, name), (units, _) in sums(calls).items():
        row = rows.setdefault(
            place,
            {
                "workspace_id": place[1] or None,
                "api_key_id": None,
                "model": f"{place[3]}-20251001" if "haiku" in place[3] else place[3],
                "service_tier": place[4],
                "context_window": "0-200k",
                "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0},
                "server_tool_use": {"web_search_requests": 0},
            },
        )
        field_name = ANTHROPIC_TYPES[name]
        target = row["cache_creation"] if "." in field_name else row
        target[field_name.rpartition(".")[2]] = units
    return _page(rows)


def anthropic_cost(calls: Iterable[Call]) -> dict[str, Any]:
    """Write a cost report as the Admin API does: cents as text, grouped by workspace and description."""
    rows: dict[Any, dict[str, Any]] = {}
    for (place, name), (_, dollars) in sums(calls).items():
        rows[place[0], place, name] = {
            "amount": f"{dollars * 100:f}",
            "currency": "USD",
            "cost_type": "tokens",
            "description": f"{place[3]} Usage - {name}",
            "model": place[3],
            "service_tier": place[4],
            "token_type": ANTHROPIC_TYPES[name],
            "context_window": "0-200k",
            "workspace_id": place[1] or None,
        }
    return _page(rows)


def _page(rows: Mapping[Any, Mapping[str, Any]]) -> dict[str, Any]:
    days = [FIRST + timedelta(days=day) for day in range(DAYS)]
    data = [{**_bounds(day), "results": [row for key, row in rows.items() if key[0] == day]} for day in days]
    return {"data": data, "has_more": False, "next_page": None}


def openai_usage(calls: Iterable[Call]) -> dict[str, Any]:
    """Write organization usage as the API does: input with its cached part."""
    rows: dict[Place, dict[str, Any]] = {}
    for (place, name), (units, _) in sums(calls).items():
        row = rows.setdefault(
            place,
            {
                "object": "organization.usage.completions.result",
                "model": f"{place[3]}-2026-03-17",
                "project_id": place[2],
                "service_tier": place[4],
                "batch": False,
                "num_model_requests": 1,
                "input_tokens": 0,
                "input_cached_tokens": 0,
                "output_tokens": 0,
            },
        )
        if name == "output":
            row["output_tokens"] = units
        else:
            row["input_tokens"] += units
            row["input_cached_tokens"] += units if name == "cache_read" else 0
    return _unix_page(rows)


def openai_costs(calls: Iterable[Call], prices: Mapping[str, Decimal]) -> dict[str, Any]:
    """Write organization costs as the API does, by line item, at prices for a token."""
    items = {"uncached_input": "input", "cache_read": "cached input", "output": "output"}
    found: dict[Any, Decimal] = defaultdict(Decimal)
    for (place, name), (units, _) in sums(calls).items():
        found[place[0], place[2], f"{place[3]}-2026-03-17, {items[name]}"] += units * prices[name]
    rows = {
        key: {
            "object": "organization.costs.result",
            "amount": {"value": dollars, "currency": "usd"},
            "line_item": key[2],
            "project_id": key[1],
        }
        for key, dollars in found.items()
    }
    return _unix_page(rows)


def _unix_page(rows: Mapping[Any, Mapping[str, Any]]) -> dict[str, Any]:
    def seconds(day: date) -> int:
        return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())

    data = [
        {
            "object": "bucket",
            "start_time": seconds(day),
            "end_time": seconds(day + timedelta(days=1)),
            "results": [row for key, row in rows.items() if key[0] == day],
        }
        for day in (FIRST + timedelta(days=number) for number in range(DAYS))
    ]
    return {"object": "page", "data": data, "has_more": False, "next_page": None}


def table(rows: Iterable[Mapping[str, object]]) -> str:
    """Write a CSV file."""
    rows = list(rows)
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def text(page: Mapping[str, Any]) -> str:
    """Write JSON with its decimals as they are."""
    return json.dumps(page, default=lambda value: _Number(value))


class _Number(float):
    """A decimal that JSON writes digit by digit."""

    def __new__(cls, value: Decimal) -> _Number:
        made = super().__new__(cls, value)
        made.text = f"{value:f}"  # type: ignore[attr-defined]
        return made

    def __repr__(self) -> str:
        return str(self.text)  # type: ignore[attr-defined]


def moved(calls: Iterable[Call], **changes: Any) -> Iterator[Call]:
    """Give calls with other values."""
    return (replace(call, **changes) for call in calls)
