"""Reads FOCUS files: cost and usage of any provider in the FinOps Foundation's columns."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from farebox_ledger._focus_names import PROVIDERS as FOCUS_NAMES
from farebox_ledger.reconcile._lines import ANY_INPUT, ANY_WRITE, Line, moment, number, text_of

__all__ = ["focus_lines", "focus_provider"]

# The names that the export writes, and others that providers go by.
PROVIDERS = {each.name.lower(): name for name, each in FOCUS_NAMES.items()} | {
    "alibaba": "alibaba",
    "aws": "bedrock",
    "azure": "azure",
    "fireworks": "fireworks",
    "mistral": "mistral",
    "together": "together",
}
METERS = {
    "input tokens": "uncached_input_tokens",
    "output tokens": "output_tokens",
    "cache read input tokens": "cache_read_tokens",
    "cache write input tokens": ANY_WRITE,
    "web searches": "web_search_requests",
    "web fetches": "web_fetch_requests",
}
DURATIONS = {
    "5m": "cache_write_5m_tokens",
    "1h": "cache_write_1h_tokens",
    "30m": "cache_write_30m_tokens",
    "12h": "cache_write_12h_tokens",
}
CONSUMED = {"tokens": 1, "token": 1, "1000 tokens": 1000, "1000000 tokens": 1_000_000, "requests": 1, "request": 1}


def focus_provider(row: Mapping[str, Any]) -> str:
    """Tell which provider a row is of, as the ledger names it: its service provider, else its provider."""
    name = text_of(row, "ServiceProviderName", "ProviderName", "PublisherName", "InvoiceIssuerName").lower()
    return PROVIDERS.get(name, name.replace(" ", "_"))


def focus_lines(rows: Iterable[Mapping[str, Any]]) -> Iterator[Line]:
    """Read rows of usage; purchases, taxes, credits and adjustments are no usage and are left out."""
    for row in rows:
        if text_of(row, "ChargeCategory") not in ("", "Usage"):
            continue
        details = _details(row)
        unit = _unit(row, details)
        consumed = number(row.get("ConsumedQuantity"), "ConsumedQuantity")
        scale = CONSUMED.get(text_of(row, "ConsumedUnit").lower().replace(",", ""))
        yield Line(
            moment(text_of(row, "ChargePeriodStart"), "ChargePeriodStart"),
            moment(text_of(row, "ChargePeriodEnd"), "ChargePeriodEnd"),
            model=_detail(details, "ModelId") or text_of(row, "x_ModelId", "ResourceId"),
            unit=unit,
            quantity=consumed * Decimal(scale) if consumed is not None and scale and unit else None,
            amount=number(row.get("BilledCost"), "BilledCost"),
            currency=text_of(row, "BillingCurrency").upper() or "USD",
            service_tier=_detail(details, "ServiceTier"),
            region=text_of(row, "RegionId"),
            organization=text_of(row, "BillingAccountId"),
            workspace=text_of(row, "SubAccountId"),
            description=text_of(row, "ChargeDescription"),
        )


def _details(row: Mapping[str, Any]) -> Mapping[str, Any]:
    said = row.get("SkuPriceDetails")
    if isinstance(said, str) and said:
        try:
            said = json.loads(said)
        except ValueError:
            raise ValueError(f"SkuPriceDetails is {said!r}, which is no JSON") from None
    return said if isinstance(said, Mapping) else {}


def _detail(details: Mapping[str, Any], name: str) -> str:
    return text_of(details, f"x_{name}", name)


def _unit(row: Mapping[str, Any], details: Mapping[str, Any]) -> str:
    leaf = text_of(row, "x_UsageLeaf")
    if leaf:
        return leaf
    unit = METERS.get(text_of(row, "SkuMeter").lower(), "")
    duration = _detail(details, "CacheDuration")
    if unit == ANY_WRITE and duration in DURATIONS:
        return DURATIONS[duration]
    if not unit and text_of(row, "ConsumedUnit").lower() == "tokens":
        direction = _detail(details, "TokenDirection").lower()
        action = _detail(details, "TokenCacheAction").lower()
        if direction == "output":
            return "output_tokens"
        actions = {
            "read": "cache_read_tokens",
            "write": DURATIONS.get(duration, ANY_WRITE),
            "uncached": "uncached_input_tokens",
        }
        return actions.get(action, ANY_INPUT if direction == "input" else "")
    return unit
