"""Reads what Anthropic says: usage and cost reports, analytics of usage and cost, and the CSV files of its console."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from farebox_ledger.reconcile._lines import ANY_INPUT, ANY_WRITE, DAY, Line, moment, number, text_of

__all__ = ["anthropic_analytics", "anthropic_cost", "anthropic_csv", "anthropic_usage"]

CENTS = -2
SHOWN = re.compile(r"Claude (?P<family>[A-Z][a-z]+) (?P<version>\d+(\.\d+)?)")
# Source: platform.claude.com/docs/en/api/admin/usage_report and cost_report, and the types of the SDK; read 2026-11-23.
UNITS = {
    "uncached_input_tokens": "uncached_input_tokens",
    "cache_read_input_tokens": "cache_read_tokens",
    "cache_creation.ephemeral_5m_input_tokens": "cache_write_5m_tokens",
    "cache_creation.ephemeral_1h_input_tokens": "cache_write_1h_tokens",
    "cache_creation_input_tokens": ANY_WRITE,
    "output_tokens": "output_tokens",
    "server_tool_use.web_search_requests": "web_search_requests",
    "server_tool_use.web_fetch_requests": "web_fetch_requests",
}
COST_TYPES = {"web_search": "web_search_requests", "web_fetch": "web_fetch_requests"}
# Headings of the console's files, for quantities: each leads to a unit.
CSV_UNITS = {
    "usage_input_tokens_no_cache": "uncached_input_tokens",
    "usage_input_tokens_cache_write_5m": "cache_write_5m_tokens",
    "usage_input_tokens_cache_write_1h": "cache_write_1h_tokens",
    "usage_input_tokens_cache_read": "cache_read_tokens",
    "usage_output_tokens": "output_tokens",
    "web_search_count": "web_search_requests",
    "input_tokens": ANY_INPUT,
    **{name.removeprefix("cache_creation.").removeprefix("server_tool_use."): unit for name, unit in UNITS.items()},
}
CSV_TOKEN_TYPES = {
    "input_no_cache": "uncached_input_tokens",
    "input_cache_read": "cache_read_tokens",
    "input_cache_write_5m": "cache_write_5m_tokens",
    "input_cache_write_1h": "cache_write_1h_tokens",
    "output": "output_tokens",
}


def anthropic_usage(pages: Iterable[Mapping[str, Any]]) -> Iterator[Line]:
    """Read pages of a usage report: buckets of results, or analytics' flat rows."""
    for start, end, row in _buckets(pages):
        counts = row.get("usage", row)
        where = _where(row.get("group") or row)
        for name, unit in UNITS.items():
            quantity = number(_deep(counts, name), name)
            if quantity:
                yield Line(start, end, unit=unit, quantity=quantity, **where)


def anthropic_cost(pages: Iterable[Mapping[str, Any]]) -> Iterator[Line]:
    """Read pages of a cost report; amounts are decimal text of cents."""
    for start, end, row in _buckets(pages):
        amount = number(row.get("amount"), "amount")
        if amount is None:
            continue
        yield Line(
            start,
            end,
            unit=_cost_unit(row),
            amount=amount.scaleb(CENTS),
            currency=text_of(row, "currency").upper() or "USD",
            description=text_of(row, "description"),
            **_where(row),
        )


def anthropic_analytics(pages: Iterable[Mapping[str, Any]]) -> Iterator[Line]:
    """Read analytics' cost rows: amounts after discounts and before credits, decimal text of cents."""
    for page in pages:
        for row in page["data"]:
            group, cost = row["group"], row["cost"]
            amount = number(cost["amount"], "amount")
            yield Line(
                moment(row["starting_at"], "starting_at"),
                moment(row["ending_at"], "ending_at"),
                unit=_cost_unit(group),
                amount=None if amount is None else amount.scaleb(CENTS),
                currency=text_of(cost, "currency").upper() or "USD",
                **_where(group),
            )


def anthropic_csv(rows: Iterable[Mapping[str, str]]) -> Iterator[Line]:
    """Read rows of a usage or cost file of the console: a day, its dimensions, and tokens by class or dollars.

    Its page names no columns; they are as people publish them. Cost files name models as the console shows them.
    """
    for row in rows:
        start = moment(text_of(row, "usage_date_utc", "date", "usage_date"), "usage_date_utc")
        where: dict[str, Any] = {
            "model": _api_name(text_of(row, "model_version", "model")),
            "service_tier": _speed_or_tier(row, text_of(row, "usage_type")),
            "region": text_of(row, "inference_geo"),
            "workspace": text_of(row, "workspace_id", "workspace"),
            "key_id": text_of(row, "api_key_id", "api_key"),
        }
        cost = next((row[name] for name in ("cost_usd", "cost (usd)") if row.get(name)), None)
        if cost is not None:
            unit = CSV_TOKEN_TYPES.get(row.get("token_type", ""), UNITS.get(row.get("token_type", ""), ""))
            unit = unit or COST_TYPES.get(row.get("cost_type", ""), "")
            yield Line(start, start + DAY, unit=unit, amount=number(cost, "cost_usd"), **where)
            continue
        for name, unit in CSV_UNITS.items():
            quantity = number(row.get(name), name)
            if quantity:
                yield Line(start, start + DAY, unit=unit, quantity=quantity, **where)


def _buckets(pages: Iterable[Mapping[str, Any]]) -> Iterator[tuple[datetime, datetime, Mapping[str, Any]]]:
    for page in pages:
        for bucket in page["data"]:
            start, end = moment(bucket["starting_at"], "starting_at"), moment(bucket["ending_at"], "ending_at")
            for row in bucket.get("results", [bucket]):
                yield start, end, row


def _cost_unit(row: Mapping[str, Any]) -> str:
    return UNITS.get(text_of(row, "token_type"), "") or COST_TYPES.get(text_of(row, "cost_type"), "")


def _where(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "model": text_of(row, "model"),
        "service_tier": _speed_or_tier(row, text_of(row, "service_tier")),
        "region": text_of(row, "inference_geo"),
        "organization": text_of(row, "organization_id"),
        "workspace": text_of(row, "workspace_id"),
        "key_id": text_of(row, "api_key_id"),
    }


def _speed_or_tier(row: Mapping[str, Any], tier: str) -> str:
    speed = text_of(row, "speed")
    return speed if speed not in ("", "standard") else {"message": "standard", "message_batch": "batch"}.get(tier, tier)


def _api_name(name: str) -> str:
    """Give the API's name of a model that the console shows by another, such as `Claude Haiku 4.5`.

    Before version 4 the API names the version first: claude-3-5-haiku.
    """
    shown = SHOWN.fullmatch(name)
    if shown is None:
        return name
    family, version = shown["family"].lower(), shown["version"].replace(".", "-")
    return f"claude-{version}-{family}" if version < "4" else f"claude-{family}-{version}"


def _deep(row: Mapping[str, Any], name: str) -> Any:
    found: Any = row
    for part in name.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found
