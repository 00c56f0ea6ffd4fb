"""Reads what hosts of open models say: OpenRouter's activity, Fireworks' usage and costs, Together's billing usage."""

from __future__ import annotations

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
# What the names of Together's products end with; the names are for display and not stable, as its page says.
TOGETHER_UNITS = {
    "cached input": "cache_read_tokens",
    "cache read": "cache_read_tokens",
    "input": "uncached_input_tokens",
    "prompt": ANY_INPUT,
    "output": "output_tokens",
    "completion": "output_tokens",
}
TOGETHER_AMOUNTS = ("cost", "amount", "total", "total_cost")


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
    """Read the activity page's export: a row a generation, summed by day, model and key."""
    sums: dict[tuple[str, str, str, str], Decimal] = {}
    for row in rows:
        day, model = text_of(row, "created_at", "date")[:10], text_of(row, "model_permaslug", "model")
        key = text_of(row, "api_key_name", "api_key")
        counts = {
            ANY_INPUT: number(text_of(row, "native_tokens_prompt", "tokens_prompt", "prompt_tokens"), "tokens_prompt"),
            "output_tokens": number(
                text_of(row, "native_tokens_completion", "tokens_completion", "completion_tokens"), "tokens_completion"
            ),
            "": number(text_of(row, "cost_total", "usage", "total_cost"), "cost_total"),
        }
        for unit, count in counts.items():
            if count is not None:
                sums[day, model, key, unit] = sums.get((day, model, key, unit), Decimal(0)) + count
    for (day, model, key, unit), total in sums.items():
        start = moment(day, "created_at")
        quantity, amount = (total, None) if unit else (None, total)
        yield Line(start, start + DAY, model, unit, quantity, amount, key_id=key)


def fireworks_usage(pages: Iterable[Mapping[str, Any]]) -> Iterator[Line]:
    """Read billingUsage: tokens by model and whatever else it was grouped by; counts are text.

    Source: docs.fireworks.ai/api-reference/get-billing-usage, read 2026-11-23.
    """
    for page in pages:
        for row in page["serverlessCosts"]:
            group = row.get("group") or {}
            start, end = moment(row["startTime"], "startTime"), moment(row["endTime"], "endTime")
            where: dict[str, Any] = {
                "model": text_of(row, "modelName") or text_of(group, "model_name"),
                "key_id": text_of(group, "api_key_id") or text_of(row, "apiKeyId"),
                "project": text_of(group, "annotations.project"),
            }
            units = {
                "promptTokens": ANY_INPUT,
                "completionTokens": "output_tokens",
                "audioInputSeconds": "audio_input_seconds",
            }
            for name, unit in units.items():
                quantity = number(row.get(name), name)
                if quantity:
                    yield Line(start, end, unit=unit, quantity=quantity, **where)


def fireworks_costs(pages: Iterable[Mapping[str, Any]]) -> Iterator[Line]:
    """Read usageCosts:query: what was paid by UTC day and model, in units and billionths of a currency."""
    for page in pages:
        for row in page.get("usageCosts") or page.get("costs") or ():
            start = moment(text_of(row, "startTime", "start_time"), "startTime")
            money = row["subtotal"]
            whole, nanos = number(money.get("units"), "units"), number(money.get("nanos"), "nanos")
            yield Line(
                start,
                start + DAY,
                model=text_of(row, "model"),
                key_id=text_of(row, "apiKeyId", "api_key_id"),
                amount=(whole or Decimal(0)) + (nanos or Decimal(0)).scaleb(NANO),
                currency=text_of(money, "currencyCode", "currency_code").upper() or "USD",
            )


def fireworks_csv(rows: Iterable[Mapping[str, str]]) -> Iterator[Line]:
    """Read `firectl billing export-metrics`, a row an event, or its export of costs, a row a day with what was paid."""
    sums: dict[tuple[str, str, str], Decimal] = {}
    for row in rows:
        paid = text_of(row, "subtotal", "cost", "cost_usd", "subtotal_usd")
        start = moment(text_of(row, "start_time", "date"), "start_time")
        model = text_of(row, "base_model_name", "model")
        if paid:
            key = text_of(row, "api_key_id")
            yield Line(start, start + DAY, model=model, key_id=key, amount=number(paid, "subtotal"))
            continue
        for name, unit in (("prompt_tokens", ANY_INPUT), ("completion_tokens", "output_tokens")):
            quantity = number(row.get(name), name)
            if quantity:
                place = (f"{start:%Y-%m-%d}", model, unit)
                sums[place] = sums.get(place, Decimal(0)) + quantity
    for (day, model, unit), quantity in sums.items():
        start = moment(day, "start_time")
        yield Line(start, start + DAY, model=model, unit=unit, quantity=quantity)


def together_usage(pages: Iterable[Mapping[str, Any]]) -> Iterator[Line]:
    """Read billing usage: windows of line items with a cost; products are known by their display names.

    Source: docs.together.ai/reference/billing-usage, read 2026-11-23: in beta, the shape can change.
    """
    for page in pages:
        for window in page.get("windows") or page.get("data") or ():
            start = moment(text_of(window, "start_time", "starting_at", "window_start"), "start_time")
            until = text_of(window, "end_time", "ending_at", "window_end")
            end = moment(until, "end_time") if until else start + DAY
            for item in window["line_items"]:
                name = text_of(item, "product_name", "name")
                model, unit = _together_product(name)
                amount = next((item[key] for key in TOGETHER_AMOUNTS if item.get(key) is not None), None)
                yield Line(
                    start,
                    end,
                    model=model,
                    unit=unit,
                    quantity=number(item.get("quantity"), "quantity") if unit else None,
                    amount=number(amount, "cost"),
                    currency=text_of(item, "currency").upper() or "USD",
                    project=text_of(item, "project_id"),
                    key_id=text_of(item, "api_key_id"),
                    description=name,
                )


def _together_product(name: str) -> tuple[str, str]:
    """Take a display name apart, such as `Qwen/Qwen3.5-Flash - Input Tokens`."""
    words = name.lower().replace("tokens", "").rstrip(" )")
    for ending, unit in TOGETHER_UNITS.items():
        if words.endswith(ending):
            return name[: len(words) - len(ending)].rstrip(" -:(,|"), unit
    return name, ""
