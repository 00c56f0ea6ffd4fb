"""Writes bills of what was invoiced, each in the shape of its provider's own API, day by day, to the last digit."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from farebox_demo.providers._hosts import HOSTS

__all__ = ["Billed", "by_provider", "days_of", "read_billed", "served_as", "sums", "write_bills"]

DAY = timedelta(days=1)
ANTHROPIC_CLASSES = {
    "uncached_input": "uncached_input_tokens",
    "cache_read": "cache_read_input_tokens",
    "cache_write_5m": "cache_creation.ephemeral_5m_input_tokens",
    "cache_write_1h": "cache_creation.ephemeral_1h_input_tokens",
    "output": "output_tokens",
}
OPENAI_ITEMS = {"uncached_input": "input", "cache_read": "cached input", "output": "output"}
ALIBABA_KINDS = {"uncached_input": "input_token", "cache_read": "cached_input_token", "output": "output_token"}


@dataclass(frozen=True)
class Billed:
    """One attempt that costs something: its tokens by class, and what each class comes to in USD."""

    provider: str
    model: str
    at: datetime
    request_id: str
    tokens: Mapping[str, int]
    amounts: Mapping[str, Decimal]

    @property
    def day(self) -> date:
        """The day of UTC that it is billed on."""
        return self.at.date()


Sums = dict[tuple[date, str], dict[str, tuple[int, Decimal]]]


def read_billed(invoice: Path) -> list[Billed]:
    """Read what an invoice bills, in the order of time."""
    found = []
    with invoice.open(encoding="utf-8") as file:
        for row in map(json.loads, file):
            prices = {name: Decimal(price) for name, price in row["unit_prices"].items()}
            tokens = {name: count for name, count in row["tokens"].items() if count}
            amounts = {name: count * prices[name] for name, count in tokens.items()}
            if tokens:
                at = datetime.fromisoformat(row["started_at"])
                found.append(Billed(row["provider"], row["model"], at, row["request_id"], tokens, amounts))
    return sorted(found, key=lambda each: each.at)


def by_provider(invoice: Path) -> list[tuple[str, list[Billed]]]:
    """Read what each provider of an invoice bills."""
    found: dict[str, list[Billed]] = defaultdict(list)
    for each in read_billed(invoice):
        found[each.provider].append(each)
    return sorted(found.items())


def sums(billed: Iterable[Billed]) -> Sums:
    """Add up by day and model: tokens and USD of each class."""
    found: Sums = defaultdict(dict)
    for each in billed:
        classes = found[each.day, each.model]
        for name, tokens in each.tokens.items():
            was = classes.get(name, (0, Decimal(0)))
            classes[name] = was[0] + tokens, was[1] + each.amounts[name]
    return dict(sorted(found.items()))


def days_of(billed: Sequence[Billed]) -> list[date]:
    """List the days from the first to the last that is billed."""
    first, last = billed[0].day, billed[-1].day
    return [first + number * DAY for number in range((last - first).days + 1)]


def served_as(provider: str, model: str) -> str:
    """Give the name that a provider's API has for a model of its price list."""
    return next(each.served_as for each in HOSTS[provider].models.values() if each.billed_as == model)


def write_bills(invoice: Path, folder: Path) -> list[Path]:
    """Write a bill of each provider that the invoice names into a folder; gives the files."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for provider, billed in by_provider(invoice):
        for name, make in BILLS[provider].items():
            path = folder / f"{name}.json"
            path.write_text(json.dumps(make(billed), indent=1), encoding="utf-8")
            written.append(path)
    return written


def _iso(day: date) -> str:
    return f"{day}T00:00:00Z"


def _unix(day: date) -> int:
    return int(datetime.combine(day, time(), UTC).timestamp())


def _tokens(classes: Mapping[str, tuple[int, Decimal]], *names: str) -> int:
    return sum(classes.get(name, (0,))[0] for name in names)


def _dollars(classes: Mapping[str, tuple[int, Decimal]]) -> Decimal:
    return sum((amount for _, amount in classes.values()), start=Decimal(0))


def _anthropic_page(billed: Sequence[Billed], rows: Callable[[str, Any], list[dict[str, Any]]]) -> dict[str, Any]:
    """Lay rows of each model out in buckets of a day, those without any too."""
    found = sums(billed)
    data = [
        {
            "starting_at": _iso(day),
            "ending_at": _iso(day + DAY),
            "results": [row for (at, model), classes in found.items() if at == day for row in rows(model, classes)],
        }
        for day in days_of(billed)
    ]
    return {"data": data, "has_more": False, "next_page": None}


def _anthropic_usage(billed: Sequence[Billed]) -> dict[str, Any]:
    def rows(model: str, classes: Mapping[str, tuple[int, Decimal]]) -> list[dict[str, Any]]:
        return [
            {
                "uncached_input_tokens": _tokens(classes, "uncached_input"),
                "cache_creation": {
                    "ephemeral_1h_input_tokens": _tokens(classes, "cache_write_1h"),
                    "ephemeral_5m_input_tokens": _tokens(classes, "cache_write_5m"),
                },
                "cache_read_input_tokens": _tokens(classes, "cache_read"),
                "output_tokens": _tokens(classes, "output"),
                "server_tool_use": {"web_search_requests": 0},
                "api_key_id": None,
                "workspace_id": None,
                "model": served_as("anthropic", model),
                "service_tier": "standard",
                "context_window": "0-200k",
            }
        ]

    return _anthropic_page(billed, rows)


def _anthropic_cost(billed: Sequence[Billed]) -> dict[str, Any]:
    def rows(model: str, classes: Mapping[str, tuple[int, Decimal]]) -> list[dict[str, Any]]:
        return [
            {
                "currency": "USD",
                "amount": f"{(amount * 100).normalize():f}",  # the API speaks of cents
                "workspace_id": None,
                "description": f"{model} Usage - {name}",
                "cost_type": "tokens",
                "context_window": "0-200k",
                "model": served_as("anthropic", model),
                "service_tier": "standard",
                "token_type": ANTHROPIC_CLASSES[name],
            }
            for name, (_, amount) in classes.items()
        ]

    return _anthropic_page(billed, rows)


def _openai_page(billed: Sequence[Billed], rows: Callable[[str, Any], list[dict[str, Any]]]) -> dict[str, Any]:
    found = sums(billed)
    data = [
        {
            "object": "bucket",
            "start_time": _unix(day),
            "end_time": _unix(day + DAY),
            "results": [row for (at, model), classes in found.items() if at == day for row in rows(model, classes)],
        }
        for day in days_of(billed)
    ]
    return {"object": "page", "data": data, "has_more": False, "next_page": None}


def _openai_usage(billed: Sequence[Billed]) -> dict[str, Any]:
    def rows(model: str, classes: Mapping[str, tuple[int, Decimal]]) -> list[dict[str, Any]]:
        return [
            {
                "object": "organization.usage.completions.result",
                "input_tokens": _tokens(classes, "uncached_input", "cache_read"),
                "input_cached_tokens": _tokens(classes, "cache_read"),
                "output_tokens": _tokens(classes, "output"),
                "num_model_requests": sum(each.model == model for each in billed),
                "model": served_as("openai", model),
                "batch": False,
                "service_tier": "default",
            }
        ]

    return _openai_page(billed, rows)


def _openai_costs(billed: Sequence[Billed]) -> dict[str, Any]:
    def rows(model: str, classes: Mapping[str, tuple[int, Decimal]]) -> list[dict[str, Any]]:
        return [
            {
                "object": "organization.costs.result",
                "amount": {"value": float(amount), "currency": "usd"},
                "line_item": f"{served_as('openai', model)}, {OPENAI_ITEMS[name]}",
                "project_id": None,
            }
            for name, (_, amount) in classes.items()
        ]

    return _openai_page(billed, rows)


def _openrouter(billed: Sequence[Billed]) -> dict[str, Any]:
    return {
        "data": [
            {
                "date": f"{day}",
                "model": served_as("openrouter", model),
                "model_permaslug": served_as("openrouter", model),
                "endpoint_id": "550e8400-e29b-41d4-a716-446655440000",
                "provider_name": "Alibaba",
                "usage": float(_dollars(classes)),
                "byok_usage_inference": 0,
                "requests": sum((each.day, each.model) == (day, model) for each in billed),
                "prompt_tokens": _tokens(classes, "uncached_input", "cache_read"),
                "completion_tokens": _tokens(classes, "output"),
                "reasoning_tokens": 0,
            }
            for (day, model), classes in sums(billed).items()
        ]
    }


def _fireworks_usage(billed: Sequence[Billed]) -> dict[str, Any]:
    rows = [
        {
            "apiKeyId": "",
            "cachedPromptTokens": str(_tokens(classes, "cache_read")),
            "completionTokens": str(_tokens(classes, "output")),
            "costNanoUsd": 0,
            "endTime": _iso(day + DAY),
            "group": {"model_name": served_as("fireworks", model)},
            "modelName": served_as("fireworks", model),
            "promptTokens": str(_tokens(classes, "uncached_input", "cache_read")),
            "startTime": _iso(day),
            "uncachedPromptTokens": str(_tokens(classes, "uncached_input")),
            "usageType": "TEXT_COMPLETION_INFERENCE_USAGE",
        }
        for (day, model), classes in sums(billed).items()
    ]
    return {"serverlessCosts": rows, "dedicatedCosts": [], "trainingCosts": []}


def _money(amount: Decimal) -> dict[str, Any]:
    whole = int(amount)
    return {"currencyCode": "USD", "units": str(whole), "nanos": int((amount - whole).scaleb(9))}


def _fireworks_costs(billed: Sequence[Billed]) -> dict[str, Any]:
    found = sums(billed)
    rows = [
        {
            "dimensions": {"startTime": _iso(day), "model": served_as("fireworks", model)},
            "subtotal": _money(_dollars(classes)),
        }
        for (day, model), classes in found.items()
    ]
    return {"rows": rows, "subtotal": _money(sum(map(_dollars, found.values()), start=Decimal(0)))}


def _together(billed: Sequence[Billed]) -> dict[str, Any]:
    found = sums(billed)
    data = []
    for day in days_of(billed):
        items = []
        for (at, model), classes in found.items():
            # Cached input costs what other input does, and is billed with it.
            for kind, names in (("input", ("uncached_input", "cache_read")), ("output", ("output",))):
                amount = sum((classes[name][1] for name in names if name in classes), start=Decimal(0))
                tokens = Decimal(_tokens(classes, *names))
                if at == day and tokens:
                    items.append(
                        {
                            "product_name": "Token Based Inference (Per 1M Tokens)",
                            "quantity": f"{tokens.scaleb(-6):f}",
                            "unit_price": f"{(amount / tokens).scaleb(6).normalize():f}",
                            "cost": f"{amount:f}",
                            "pricing_dimensions": {"model": served_as("together", model), "token_type": kind},
                            "attributes": {},
                        }
                    )
        data.append({"date": f"{day}", "start_time": _iso(day), "end_time": _iso(day + DAY), "line_items": items})
    return {
        "object": "billing.usage_report",
        "organization_id": "org_demo",
        "billing_period": f"{billed[0].day:%Y-%m}",
        "currency": "USD",
        "data": data,
        "next_cursor": None,
    }


def _alibaba(billed: Sequence[Billed]) -> dict[str, Any]:
    items = [
        {
            "BillingDate": f"{day}",
            "InstanceID": f"12345;llm-demo;{served_as('alibaba', model)};{ALIBABA_KINDS[name]};app;0",
            "BillingItem": "Token",
            "Usage": str(tokens),
            "UsageUnit": "token",
            "PretaxAmount": float(amount),
            "Currency": "USD",
            "ProductCode": "sfm",
        }
        for (day, model), classes in sums(billed).items()
        for name, (tokens, amount) in classes.items()
    ]
    return {"Code": "Success", "Success": True, "Data": {"BillingCycle": f"{billed[0].day:%Y-%m}", "Items": items}}


Make = Callable[[Sequence[Billed]], dict[str, Any]]
BILLS: Mapping[str, Mapping[str, Make]] = {
    "anthropic": {"anthropic-usage": _anthropic_usage, "anthropic-cost": _anthropic_cost},
    "openai": {"openai-usage": _openai_usage, "openai-costs": _openai_costs},
    "openrouter": {"openrouter": _openrouter},
    "fireworks": {"fireworks-usage": _fireworks_usage, "fireworks-costs": _fireworks_costs},
    "together": {"together": _together},
    "alibaba": {"alibaba": _alibaba},
}
