"""Writes the same bills as files that people export: CSV, with the headings of each provider's console or tool."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

from farebox_demo.providers._bills import ALIBABA_KINDS, DAY, Billed, by_provider, served_as, sums

__all__ = ["write_exports"]

CONSOLE_TYPES = {
    "uncached_input": "input_no_cache",
    "cache_read": "input_cache_read",
    "cache_write_5m": "input_cache_write_5m",
    "cache_write_1h": "input_cache_write_1h",
    "output": "output",
}
VERSION = re.compile(r"claude-(?P<family>[a-z]+)-(?P<major>\d+)-(?P<minor>\d+)")
OPENAI_ITEMS = {"uncached_input": "input_tokens", "cache_read": "cached_input_tokens", "output": "output_tokens"}

Rows = Iterator[dict[str, Any]]


def write_exports(invoice: Path, folder: Path) -> list[Path]:
    """Write the files of each provider that the invoice names and that exports any; gives them."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for provider, billed in by_provider(invoice):
        for name, make in EXPORTS.get(provider, {}).items():
            rows, path = list(make(billed)), folder / f"{name}.csv"
            with path.open("w", encoding="utf-8", newline="") as file:
                writer = csv.DictWriter(file, list(rows[0]))
                writer.writeheader()
                writer.writerows(rows)
            written.append(path)
    return written


def _anthropic_usage(billed: Sequence[Billed]) -> Rows:
    for (day, model), classes in sums(billed).items():
        tokens = {name: classes[name][0] if name in classes else 0 for name in CONSOLE_TYPES}
        yield {
            "usage_date_utc": day,
            "model_version": served_as("anthropic", model),
            "api_key": "demo",
            "workspace": "Default",
            "usage_type": "standard",
            "context_window": "≤ 200k",
            "usage_input_tokens_no_cache": tokens["uncached_input"],
            "usage_input_tokens_cache_write_5m": tokens["cache_write_5m"],
            "usage_input_tokens_cache_write_1h": tokens["cache_write_1h"],
            "usage_input_tokens_cache_read": tokens["cache_read"],
            "usage_output_tokens": tokens["output"],
            "web_search_count": 0,
            "inference_geo": "not_available",
            "speed": "",
        }


def _anthropic_cost(billed: Sequence[Billed]) -> Rows:
    for (day, model), classes in sums(billed).items():
        for name, (_, amount) in classes.items():
            yield {
                "usage_date_utc": day,
                "model": VERSION.sub(lambda found: _shown(found), model),
                "workspace": "Default",
                "api_key": "demo",
                "usage_type": "message",
                "context_window": "≤ 200k",
                "token_type": CONSOLE_TYPES[name],
                "cost_usd": f"{amount:f}",
                "list_price_usd": f"{amount:f}",
                "cost_type": "token",
                "inference_geo": "not_available",
                "speed": "",
                "api_key_id": "",
                "api_key_status": "active",
            }


def _shown(name: re.Match[str]) -> str:
    return f"Claude {name['family'].title()} {name['major']}.{name['minor']}"


def _bounds(day: Any) -> dict[str, Any]:
    start = datetime.combine(day, time(), UTC)
    return {"start_time": int(start.timestamp()), "end_time": int((start + DAY).timestamp())}


def _openai_usage(billed: Sequence[Billed]) -> Rows:
    for (day, model), classes in sums(billed).items():
        cached = classes.get("cache_read", (0,))[0]
        yield {
            **_bounds(day),
            "num_model_requests": float(sum((each.day, each.model) == (day, model) for each in billed)),
            "model": served_as("openai", model),
            "batch": "False",
            "service_tier": "default",
            "input_tokens": float(classes["uncached_input"][0] + cached),
            "output_tokens": float(classes["output"][0]),
            "input_cached_tokens": float(cached),
            "api_key_id": "",
            "project_id": "",
        }


def _openai_costs(billed: Sequence[Billed]) -> Rows:
    for (day, model), classes in sums(billed).items():
        start = datetime.combine(day, time(), UTC)
        for name, (tokens, amount) in classes.items():
            yield {
                **_bounds(day),
                "start_time_iso": start.isoformat(),
                "end_time_iso": (start + DAY).isoformat(),
                "amount_value": f"{amount:.30f}",
                "amount_currency": "usd",
                "quantity": tokens,
                "quantity_unit": "tokens",
                "line_item": f"{served_as('openai', model)}, {OPENAI_ITEMS[name]}",
                "project_id": "",
            }


def _openrouter(billed: Sequence[Billed]) -> Rows:
    for each in billed:
        yield {
            "generation_id": f"gen-{int(each.at.timestamp())}-{each.request_id}",
            "created_at": f"{each.at:%Y-%m-%d %H:%M:%S}.{each.at.microsecond // 1000:03}",
            "cost_total": f"{sum(each.amounts.values(), start=Decimal(0)):f}",
            "byok_usage_inference": 0,
            "tokens_prompt": each.tokens.get("uncached_input", 0) + each.tokens.get("cache_read", 0),
            "tokens_completion": each.tokens.get("output", 0),
            "tokens_cached": each.tokens.get("cache_read", 0),
            "model_permaslug": served_as("openrouter", each.model),
            "provider_name": "Alibaba",
            "variant": "standard",
            "api_key_name": "",
        }


def _fireworks_metrics(billed: Sequence[Billed]) -> Rows:
    for each in billed:
        moment = f"{each.at:%Y-%m-%d %H:%M:%S} UTC"
        yield {
            "email": "demo@example.com",
            "start_time": moment,
            "end_time": moment,
            "usage_type": "TEXT_COMPLETION_INFERENCE_USAGE",
            "accelerator_type": "",
            "accelerator_seconds": "",
            "base_model_name": served_as("fireworks", each.model).rpartition("/")[2],
            "model_bucket": "",
            "parameter_count": "",
            "prompt_tokens": each.tokens.get("uncached_input", 0) + each.tokens.get("cache_read", 0),
            "completion_tokens": each.tokens.get("output", 0),
        }


def _fireworks_costs(billed: Sequence[Billed]) -> Rows:
    for (day, model), classes in sums(billed).items():
        amount = sum((amount for _, amount in classes.values()), start=Decimal(0))
        yield {
            "account_id": "demo",
            "date": day,
            "group_by_dimension": "model",
            "group_by_value": served_as("fireworks", model),
            "subtotal_usd": f"{amount:.9f}",
            "currency": "USD",
        }


def _alibaba(billed: Sequence[Billed]) -> Rows:
    for (day, model), classes in sums(billed).items():
        for name, (tokens, amount) in classes.items():
            yield {
                "账单日期": day,
                "产品名称": "大模型服务平台百炼",
                "实例 ID（出账粒度）": f"12345;llm-demo;{served_as('alibaba', model)};{ALIBABA_KINDS[name]};app;0",
                "计费项": "大模型文本消耗量",
                "用量": tokens,
                "用量单位": "token",
                "应付金额": f"{amount:f}",
                "币种": "USD",
            }


Make = Callable[[Sequence[Billed]], Rows]
EXPORTS: Mapping[str, Mapping[str, Make]] = {
    "anthropic": {"anthropic-usage": _anthropic_usage, "anthropic-cost": _anthropic_cost},
    "openai": {"openai-usage": _openai_usage, "openai-costs": _openai_costs},
    "openrouter": {"openrouter": _openrouter},
    "fireworks": {"fireworks-metrics": _fireworks_metrics, "fireworks-costs": _fireworks_costs},
    "alibaba": {"alibaba": _alibaba},
}
