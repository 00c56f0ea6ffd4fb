"""Reads what hosts of open models say: OpenRouter's activity, Fireworks' usage and costs, Together's billing usage."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from farebox_ledger.reconcile._lines import ANY_INPUT, DAY, Line, moment, number, text_of

__all__ = [
    "fireworks_costs",
    "fireworks_csv",
    "fireworks_usage",
    "openrouter_activity",
    "openrouter_csv",
    "together_usage",
]

NANO = -9
MILLION = re.compile(r"per 1m|per million", re.IGNORECASE)
# Kinds of token, in Together's pricing dimensions and at the end of its products' names.
TOGETHER_KINDS = (
    (re.compile(r"cache", re.IGNORECASE), "cache_read_tokens"),
    (re.compile(r"\b(input|prompt)", re.IGNORECASE), "uncached_input_tokens"),
    (re.compile(r"\b(output|completion)", re.IGNORECASE), "output_tokens"),
)
# What Fireworks names when an event says nothing of what was grouped by.
NAMELESS = ("unattributed", "unknown_model")


def openrouter_activity(pages: Iterable[Mapping[str, Any]]) -> Iterator[Line]:
    """Read activity: a row a day, model and endpoint, with what was paid for all of it together.

    Source: openrouter.ai/docs/api/api-reference/analytics/get-user-activity, read 2026-11-23. Prompt tokens have the
    cached ones among them; what was paid to a provider with a key of one's own is not on this bill.
    """
    for page in pages:
        for row in page["data"]:
            start = moment(str(row["date"])[:10], "date")
            model = text_of(row, "model_permaslug", "model")
            for name, unit in (("prompt_tokens", ANY_INPUT), ("completion_tokens", "output_tokens")):
                quantity = number(row.get(name), name)
                if quantity:
                    yield Line(start, start + DAY, model=model, unit=unit, quantity=quantity)
            endpoint = f"{text_of(row, 'provider_name')} {text_of(row, 'endpoint_id')}".strip()
            yield Line(start, start + DAY, model=model, amount=number(row.get("usage"), "usage"), description=endpoint)


def openrouter_csv(rows: Iterable[Mapping[str, str]]) -> Iterator[Line]:
    """Read the activity page's export: a row a generation, summed by day, model and key.

    Its page names no columns; they are as people publish them. The seconds in generations' ids show that times are UTC.
    """
    sums: dict[tuple[str, str, str, str], Decimal] = {}
    for row in rows:
        day, model = text_of(row, "created_at")[:10], text_of(row, "model_permaslug")
        variant, key = text_of(row, "variant"), text_of(row, "api_key_name")
        if variant not in ("", "standard") and not model.endswith(f":{variant}"):
            model = f"{model}:{variant}"
        for name, unit in (("tokens_prompt", ANY_INPUT), ("tokens_completion", "output_tokens"), ("cost_total", "")):
            count = number(row.get(name), name)
            if count is not None:
                sums[day, model, key, unit] = sums.get((day, model, key, unit), Decimal(0)) + count
    for (day, model, key, unit), total in sums.items():
        start = moment(day, "created_at")
        quantity, amount = (total, None) if unit else (None, total)
        yield Line(start, start + DAY, model, unit, quantity, amount, key_id=key)


def fireworks_usage(pages: Iterable[Mapping[str, Any]]) -> Iterator[Line]:
    """Read billingUsage: tokens by day, model and whatever else it was grouped by; counts are text.

    Its `costNanoUsd` is 0 where no rate is stamped, not where nothing was paid, so money is usageCosts:query's alone.
    Source: docs.fireworks.ai/api-reference/get-billing-usage and published answers, read 2026-11-23.
    """
    for page in pages:
        for row in page["serverlessCosts"]:
            group = row.get("group") or {}
            if not row.get("startTime") or not row.get("endTime"):
                raise ValueError("serverlessCosts name no startTime; ask for each day by itself")
            where: dict[str, Any] = {
                "start": moment(row["startTime"], "startTime"),
                "end": moment(row["endTime"], "endTime"),
                "model": _named(text_of(row, "modelName") or text_of(group, "model_name")),
                "key_id": _named(text_of(group, "api_key_id") or text_of(row, "apiKeyId")),
                "project": text_of(group, "annotations.project"),
            }
            for unit, quantity in _fireworks_counts(row).items():
                if quantity:
                    yield Line(unit=unit, quantity=quantity, **where)


def fireworks_costs(pages: Iterable[Mapping[str, Any]]) -> Iterator[Line]:
    """Read usageCosts:query, grouped by day and one thing more: money in units and billionths of a currency.

    Source: docs.fireworks.ai/api-reference/query-usage-costs and published clients, read 2026-11-23.
    """
    for page in pages:
        for row in page["rows"]:
            group, money = row["dimensions"], row["subtotal"]
            start = moment(text_of(group, "startTime"), "startTime")
            whole, nanos = number(money.get("units"), "units"), number(money.get("nanos"), "nanos")
            yield Line(
                start,
                start + DAY,
                model=_named(text_of(group, "model")),
                key_id=_named(text_of(group, "apiKeyId")),
                amount=(whole or Decimal(0)) + (nanos or Decimal(0)).scaleb(NANO),
                currency=text_of(money, "currencyCode").upper() or "USD",
                description=text_of(group, "modelTier", "userId"),
            )


def fireworks_csv(rows: Iterable[Mapping[str, str]]) -> Iterator[Line]:
    """Read `firectl billing export-metrics`, a row an event, or `export-usage-costs`, a row a day and group.

    Source: docs.fireworks.ai/accounts/exporting-billing-metrics and exporting-usage-costs, read 2026-11-23.
    """
    sums: dict[tuple[str, str, str], Decimal] = {}
    for row in rows:
        start = moment(text_of(row, "start_time", "date"), "start_time")
        by, value = text_of(row, "group_by_dimension"), _named(text_of(row, "group_by_value"))
        if by:
            yield Line(
                start,
                start + DAY,
                model=value if by == "model" else "",
                key_id=value if by == "api_key" else "",
                amount=number(row["subtotal_usd"], "subtotal_usd"),
                currency=text_of(row, "currency").upper() or "USD",
                description=f"{by} {value}",
            )
            continue
        model = text_of(row, "base_model_name")
        for name, unit in (("prompt_tokens", ANY_INPUT), ("completion_tokens", "output_tokens")):
            quantity = number(row.get(name), name)
            if quantity:
                place = (f"{start:%Y-%m-%d}", model, unit)
                sums[place] = sums.get(place, Decimal(0)) + quantity
    for (day, model, unit), quantity in sums.items():
        start = moment(day, "start_time")
        yield Line(start, start + DAY, model=model, unit=unit, quantity=quantity)


def together_usage(pages: Iterable[Mapping[str, Any]]) -> Iterator[Line]:
    """Read billing usage: windows of line items, decimals as text; input is all input where no cached kind is billed.

    Source: docs.together.ai/reference/billing-usage and published clients, read 2026-11-23: in beta, it can change.
    """
    pages = list(pages)
    items = [item for page in pages for window in page["data"] for item in window["line_items"]]
    cached = any(_together_kind(item)[1] == "cache_read_tokens" for item in items)
    for page in pages:
        for window in page["data"]:
            start = moment(text_of(window, "start_time", "date"), "start_time")
            until = text_of(window, "end_time")
            end = moment(until, "end_time") if until else start + DAY
            for item in window["line_items"]:
                name, owner = text_of(item, "product_name"), item.get("attributes") or {}
                model, unit = _together_kind(item)
                quantity = number(item.get("quantity"), "quantity") if unit else None
                yield Line(
                    start,
                    end,
                    model=model,
                    unit=ANY_INPUT if unit == "uncached_input_tokens" and not cached else unit,
                    quantity=quantity * 1_000_000 if quantity is not None and MILLION.search(name) else quantity,
                    amount=number(item["cost"], "cost"),
                    currency=text_of(page, "currency").upper() or "USD",
                    organization=text_of(page, "organization_id"),
                    project=text_of(owner, "project_id"),
                    key_id=text_of(owner, "api_key_id"),
                    description=name,
                )


def _named(name: str) -> str:
    return "" if name in NAMELESS else name


def _fireworks_counts(row: Mapping[str, Any]) -> dict[str, Decimal | None]:
    """Give the tokens of a row: the prompt's by what the cache did, where the two parts add up to it."""
    names = ("promptTokens", "uncachedPromptTokens", "cachedPromptTokens", "completionTokens", "audioInputSeconds")
    prompt, uncached, cached, completion, seconds = (number(row.get(name), name) for name in names)
    split = uncached is not None and cached is not None and prompt in (None, uncached + cached)
    told = {"uncached_input_tokens": uncached, "cache_read_tokens": cached} if split else {ANY_INPUT: prompt}
    return {**told, "output_tokens": completion, "audio_input_seconds": seconds}


def _together_kind(item: Mapping[str, Any]) -> tuple[str, str]:
    """Tell the model and the kind of token of a line item; neither where it does not say both.

    Its name, such as `Qwen/Qwen3.5-Flash - Input Tokens`, is for display; what prices it says more, where it says it.
    """
    told, name = item.get("pricing_dimensions") or {}, text_of(item, "product_name")
    first, dash, rest = name.rpartition(" - ")
    model = text_of(told, "model") or text_of(item.get("attributes") or {}, "model")
    model = model or (first if dash and "/" in first else "")
    words = text_of(told, "token_type") or (rest if dash else name)
    unit = next((unit for pattern, unit in TOGETHER_KINDS if pattern.search(words)), "")
    return (model, unit) if model and unit else ("", "")
