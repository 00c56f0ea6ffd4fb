"""A second opinion on money: prices attempts from the book's files in plain Python, sharing no code with the ledger.

It reads the CSV files, not the tables, and knows the rules from the ledger's documentation, not from its SQL.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Context, Decimal, Inexact, localcontext
from functools import cache
from pathlib import Path

import farebox_ledger

BOOK = Path(farebox_ledger.__file__).parent / "prices"
INPUT = (
    "uncached_input_tokens",
    "cache_read_tokens",
    "cache_write_5m_tokens",
    "cache_write_1h_tokens",
    "cache_write_unsplit_tokens",
    "cache_write_30m_tokens",
    "cache_write_12h_tokens",
    "audio_input_tokens",
    "image_input_tokens",
)
OUTPUT = ("output_tokens", "audio_output_tokens", "image_output_tokens")
TOOLS = ("web_search_requests", "web_fetch_requests")
COMPONENTS = {
    "cost_input": ("uncached_input_tokens", "audio_input_tokens", "image_input_tokens"),
    "cost_cache_read": ("cache_read_tokens",),
    "cost_cache_write": tuple(leaf for leaf in INPUT if leaf.startswith("cache_write")),
    "cost_output": OUTPUT,
    "cost_tools": TOOLS,
}

Key = tuple[str, str, str, str]


@dataclass(frozen=True)
class Entry:
    """One line of the book; `price` is for one unit, None where it ends."""

    tier_above: int
    valid_from: datetime
    price: Decimal | None


@dataclass(frozen=True)
class Opinion:
    """What an attempt should cost; `cost` and `components` are None where that is not known."""

    state: str
    cost: Decimal | None = None
    components: Mapping[str, Decimal] | None = None


@cache
def book() -> dict[Key, dict[str, list[Entry]]]:
    """Read all prices: key (provider, region, model, variant) → unit → lines."""
    lines: dict[tuple[str, ...], Entry] = {}
    for folder in ("catalogue", "own"):
        for file in sorted((BOOK / folder).glob("*.csv")):
            if file.name in ("aliases.csv", "fallbacks.csv"):
                continue
            for row in csv.DictReader(file.read_text(encoding="utf-8").splitlines()):
                day = row["valid_from"] or "1970-01-01"
                key = (
                    row["provider"],
                    row["region"],
                    row["model"],
                    row["variant"],
                    row["unit"],
                    row["tier_above"],
                    day,
                )
                price = Decimal(row["price"]) / Decimal(row["per"]) if row["price"] else None
                lines[key] = Entry(int(row["tier_above"]), datetime.fromisoformat(day).replace(tzinfo=UTC), price)
    out: dict[Key, dict[str, list[Entry]]] = {}
    for (provider, region, model, variant, unit, *_), entry in lines.items():
        out.setdefault((provider, region, model, variant), {}).setdefault(unit, []).append(entry)
    return out


@cache
def fallbacks() -> dict[tuple[str, str], str]:
    """Read which unit stands in for which: (provider, unit) → unit."""
    rows = csv.DictReader((BOOK / "own" / "fallbacks.csv").read_text(encoding="utf-8").splitlines())
    return {(row["provider"], row["unit"]): row["billed_as"] for row in rows}


@cache
def busy_hours() -> dict[tuple[str, str, str], str]:
    """Read when a model has another price by the hour: (provider, model, half hour as 00:30, UTC) → variant."""
    found: dict[tuple[str, str, str], str] = {}
    for folder in ("catalogue", "own"):
        for row in csv.DictReader((BOOK / folder / "aliases.csv").read_text(encoding="utf-8").splitlines()):
            if row["field"] == "hour":
                model, _, slot = row["pattern"].rpartition(" ")
                found[row["provider"], model, slot] = row["value"]
    return found


def variant_at(key: Key, moment: datetime) -> Key:
    """Give the key that holds at the time of day; a variant that a response names goes before the hour's."""
    provider, region, model, variant = key
    slot = f"{moment.hour:02}:{moment.minute // 30 * 30:02}"
    return provider, region, model, variant or busy_hours().get((provider, model, slot), "")


def price_of(key: Key, unit: str, total_input: int, moment: datetime) -> Decimal | None:
    """Find the price of one unit: the newest line of the highest tier that applies, else the unit that stands in."""
    reached: dict[int, Entry] = {}
    for entry in book()[key].get(unit, ()):
        below = entry.tier_above == 0 or total_input > entry.tier_above
        newest = reached.get(entry.tier_above)
        if below and entry.valid_from <= moment and (newest is None or entry.valid_from > newest.valid_from):
            reached[entry.tier_above] = entry
    prices = [reached[tier].price for tier in sorted(reached, reverse=True) if reached[tier].price is not None]
    if prices:
        return prices[0]
    stand_in = fallbacks().get((key[0], unit))
    return price_of(key, stand_in, total_input, moment) if stand_in else None


def opinion(key: Key, usage: Mapping[str, int], state: str, moment: datetime) -> Opinion:
    """Say what an attempt should cost, of a key that is in the book."""
    key = variant_at(key, moment)
    if state == "missing":
        return Opinion("no_usage")
    if state == "reported" and not {"uncached_input_tokens", "output_tokens"} <= usage.keys():
        return Opinion("no_usage")
    if state == "partial" and not usage:
        return Opinion("no_usage")
    if all(entry.valid_from > moment for entries in book()[key].values() for entry in entries):
        return Opinion("no_price")
    total_input = sum(usage.get(leaf, 0) for leaf in INPUT)
    costs: dict[str, Decimal] = {}
    with localcontext(Context(prec=60, traps=[Inexact])):
        for leaf, count in usage.items():
            price = price_of(key, leaf, total_input, moment) if count else Decimal(0)
            if price is None:
                return Opinion("no_price")
            costs[leaf] = count * price
        components = {
            name: sum((costs.get(leaf, Decimal(0)) for leaf in leaves), start=Decimal(0))
            for name, leaves in COMPONENTS.items()
        }
        cost = sum(components.values(), start=Decimal(0))
    return Opinion("partial" if state == "partial" else "priced", cost, components)
