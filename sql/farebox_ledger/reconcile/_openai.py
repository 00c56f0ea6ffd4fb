"""Reads what OpenAI says: its organization's usage and costs, from the API or as CSV files."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from farebox_ledger.reconcile._lines import ANY_WRITE, DAY, Line, moment, number, text_of

__all__ = ["openai_costs", "openai_csv", "openai_usage"]

# Source: openai/types/admin/organization/usage_costs_response.py of openai 3.54.0. What the parts leave of the input is
# uncached.
PARTS = {
    "input_cached_tokens": "cache_read_tokens",
    "input_audio_tokens": "audio_input_tokens",
    "input_image_tokens": "image_input_tokens",
    "input_cache_write_30m_tokens": "cache_write_30m_tokens",
    "input_cache_write_12h_tokens": "cache_write_12h_tokens",
}
CACHED = {
    "input_cached_audio_tokens": "cache_read_audio_tokens",
    "input_cached_image_tokens": "cache_read_image_tokens",
}
OUTPUTS = {"output_audio_tokens": "audio_output_tokens", "output_image_tokens": "image_output_tokens"}
COUNTS = {"images": "images", "seconds": "audio_input_seconds", "characters": "input_characters"}
REQUESTS = {"organization.usage.web_searches.result": "web_search_requests"}
# A line item, as bills of real accounts have been published: "gpt-5.4-mini-2026-03-17, cached input", "batch api | …",
# "priority | gpt-5.6-sol, output, long context", "gpt-image-1 text, input", and in OpenAI's reference "gpt-5-mini,
# input_tokens". "whisper", or what is not of a model, has no kind; it stays in the description.
LINE_ITEM = re.compile(
    r"((?P<tier>batch api|batch|flex|priority|scale)[^|]* \| )?(?P<model>[\w.:/-]+)( (?P<sense>text|audio|image))?"
    r", (?P<kind>[a-z_ ]+?)(?P<long>, long context)?",
    re.IGNORECASE,
)
KINDS = {
    "input": "uncached_input_tokens",
    "cached input": "cache_read_tokens",
    "input cached": "cache_read_tokens",
    "cache write": ANY_WRITE,
    "cache writes": ANY_WRITE,
    "cache write input": ANY_WRITE,
    "input cache write": ANY_WRITE,
    "output": "output_tokens",
    "audio input": "audio_input_tokens",
    "input audio": "audio_input_tokens",
    "audio output": "audio_output_tokens",
    "output audio": "audio_output_tokens",
    "image input": "image_input_tokens",
    "image output": "image_output_tokens",
}
SENSES = {
    ("audio", "uncached_input_tokens"): "audio_input_tokens",
    ("audio", "cache_read_tokens"): "cache_read_audio_tokens",
    ("audio", "output_tokens"): "audio_output_tokens",
    ("image", "uncached_input_tokens"): "image_input_tokens",
    ("image", "cache_read_tokens"): "cache_read_image_tokens",
    ("image", "output_tokens"): "image_output_tokens",
}
SCALES = {"1000_tokens": 1000, "duration_minutes": 60, "duration_hours": 3600}


def openai_usage(pages: Iterable[Mapping[str, Any]]) -> Iterator[Line]:
    """Read pages of organization usage, of whichever endpoint."""
    for start, end, row in _buckets(pages):
        yield from _usage_lines(start, end, row)


def openai_costs(pages: Iterable[Mapping[str, Any]]) -> Iterator[Line]:
    """Read pages of organization costs; grouped by line item they name model and unit."""
    for start, end, row in _buckets(pages):
        paid = row.get("amount") or {}
        yield _cost_line(start, end, row, paid.get("value"), text_of(paid, "currency"))


def openai_csv(rows: Iterable[Mapping[str, str]]) -> Iterator[Line]:
    """Read rows of an export of the dashboard: usage (tokens by model) or costs (amount_value by line item)."""
    for row in rows:
        start = moment(text_of(row, "start_time_iso", "start_time", "date"), "start_time")
        until = text_of(row, "end_time_iso", "end_time")
        end = moment(until, "end_time") if until else start + DAY
        if "amount_value" in row:
            if row["amount_value"]:
                yield _cost_line(start, end, row, row["amount_value"], row.get("amount_currency", ""))
        else:
            yield from _usage_lines(start, end, row)


def _usage_lines(start: datetime, end: datetime, row: Mapping[str, Any]) -> Iterator[Line]:
    where = _where(row)
    for unit, quantity in _leaves(row).items():
        if quantity:
            yield Line(start, end, unit=unit, quantity=quantity, **where)


def _leaves(row: Mapping[str, Any]) -> dict[str, Decimal]:
    """Take the counts apart into leaves that add up."""
    parts = _counts(row, PARTS)
    split = parts.get("cache_write_30m_tokens", Decimal(0)) + parts.get("cache_write_12h_tokens", Decimal(0))
    written = number(row.get("input_cache_write_tokens"), "input_cache_write_tokens") or Decimal(0)
    if written > split:
        if split:
            raise ValueError(f"input_cache_write_tokens is {written}, but its parts add up to {split}")
        parts[ANY_WRITE] = written
    found = {**parts, **_counts(row, COUNTS)}
    whole = number(row.get("input_tokens"), "input_tokens")
    if whole is not None:
        named = sum(parts.values(), Decimal(0))
        if named > whole:
            raise ValueError(f"parts of the input are {named} tokens, above input_tokens, {whole}")
        found["uncached_input_tokens"] = whole - named
    for unit, part in _counts(row, CACHED).items():  # inside input_cached_tokens
        found[unit] = part
        found["cache_read_tokens"] = found.get("cache_read_tokens", Decimal(0)) - part
    answered = number(row.get("output_tokens"), "output_tokens")
    if answered is not None:
        apart = _counts(row, OUTPUTS)
        found |= {**apart, "output_tokens": answered - sum(apart.values(), Decimal(0))}
    unit = REQUESTS.get(text_of(row, "object"), "")
    count = number(row.get("num_requests"), "num_requests")
    return {**found, unit: count} if unit and count else found


def _counts(row: Mapping[str, Any], units: Mapping[str, str]) -> dict[str, Decimal]:
    counts = ((unit, number(row.get(name), name)) for name, unit in units.items())
    return {unit: count for unit, count in counts if count}


def _cost_line(start: datetime, end: datetime, row: Mapping[str, Any], amount: Any, currency: str) -> Line:
    item = text_of(row, "line_item")
    model, unit, tier = _item(item)
    quantity = number(row.get("quantity"), "quantity") if unit else None
    scale = SCALES.get(text_of(row, "quantity_unit"), 1)
    where = {**_where(row), "model": model, "service_tier": tier}
    return Line(
        start,
        end,
        unit=unit,
        quantity=None if quantity is None else quantity * scale,
        amount=number(amount, "amount"),
        currency=currency.upper() or "USD",
        description=item,
        **where,
    )


def _item(item: str) -> tuple[str, str, str]:
    """Take a line item apart: model, unit, tier; what is not understood stays in the description."""
    found = LINE_ITEM.fullmatch(item.strip())
    if found is None:
        return "", "web_search_requests" if "web search" in item.lower() else "", ""
    kind = found["kind"].lower().replace("_", " ").removesuffix(" tokens")
    unit = KINDS.get(kind, "")
    unit = SENSES.get(((found["sense"] or "").lower(), unit), unit)
    tier = (found["tier"] or "").lower().removesuffix(" api")
    return (found["model"], unit, tier) if unit else ("", "", "")


def _where(row: Mapping[str, Any]) -> dict[str, Any]:
    batch = row.get("batch") in (True, "true", "True", "TRUE")
    return {
        "model": text_of(row, "model"),
        "service_tier": "batch" if batch else text_of(row, "service_tier"),
        "organization": text_of(row, "organization_id"),
        "project": text_of(row, "project_id"),
        "key_id": text_of(row, "api_key_id"),
    }


def _buckets(pages: Iterable[Mapping[str, Any]]) -> Iterator[tuple[datetime, datetime, Mapping[str, Any]]]:
    for page in pages:
        for bucket in page["data"]:
            start, end = moment(bucket["start_time"], "start_time"), moment(bucket["end_time"], "end_time")
            for row in bucket["results"]:
                yield start, end, row
