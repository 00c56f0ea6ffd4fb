"""Writes the catalogue half of the price book, `prices/catalogue/*.csv`, from the genai-prices package.

Run `python -m farebox_ledger._book_from_genai_prices` after upgrading genai-prices, and review the difference like
code. What does not fit the book (prices by the hour, by time of day, for every request) is left out and listed: an
attempt of such a model then counts as unpriced, which is better than a wrong price.
"""

from __future__ import annotations

import csv
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import astuple, dataclass, fields, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from genai_prices import data_snapshot
from genai_prices.types import ModelInfo, ModelPrice, PriceVariant, Provider, StartDateConstraint, TieredPrices

__all__ = ["main"]

FOLDER = Path(__file__).parent / "prices" / "catalogue"
MILLION, THOUSAND = 1_000_000, 1_000
BEGINNING = date(1970, 1, 1)

# genai-prices' provider → the beginnings of the model names that are carried; all of them if empty.
PROVIDERS: Mapping[str, tuple[str, ...]] = {
    "anthropic": (),
    "fireworks": (),
    "openai": (),
    "openrouter": ("anthropic/", "openai/", "qwen/"),
    "together": (),
}
UNITS = {
    "input_mtok": ("uncached_input_tokens", MILLION),
    "output_mtok": ("output_tokens", MILLION),
    "cache_read_mtok": ("cache_read_tokens", MILLION),
    "cache_write_mtok": ("cache_write_unsplit_tokens", MILLION),
    "cache_write_5m_mtok": ("cache_write_5m_tokens", MILLION),
    "cache_write_1h_mtok": ("cache_write_1h_tokens", MILLION),
    "input_audio_mtok": ("audio_input_tokens", MILLION),
    "output_audio_mtok": ("audio_output_tokens", MILLION),
    "input_image_mtok": ("image_input_tokens", MILLION),
    "output_image_mtok": ("image_output_tokens", MILLION),
    "web_searches_kcount": ("web_search_requests", THOUSAND),
}
# How long a cache write lasts at the catalogue's one price for it.
# Source: platform.claude.com prompt-caching and developers.openai.com prompt-caching, read 2026-11-23.
WRITE_UNITS = {"anthropic": "cache_write_5m_tokens", "openai": "cache_write_30m_tokens"}
# Cached audio and images have prices of their own, which one leaf for all cache reads cannot tell apart.
MIXED_CACHE = ("cache_audio_read_mtok", "cache_image_read_mtok")
# Inference kept in the US costs a tenth more for every kind of token, on Opus 4.6 and what came after it.
# Source: platform.claude.com data-residency and pricing pages, read 2026-11-23.
US_SURCHARGE = Decimal("1.1")
US_PAGE = "https://platform.claude.com/docs/en/build-with-claude/data-residency"
WEB_FETCH_PAGE = "https://platform.claude.com/docs/en/agents-and-tools/tool-use/web-fetch-tool"
BEFORE_GEOGRAPHY = re.compile(r"claude-(v?[1-3]|(opus|sonnet|haiku)-4-[0-5]$)")
VENDOR = re.compile(r"^(anthropic|openai|qwen)/")
MONTH_AND_DAY = re.compile(r"-[01][0-9]-[0-3][0-9]$")


@dataclass(frozen=True)
class Line:
    """One line of a price file; see the columns of the table `prices`."""

    provider: str
    region: str
    model: str
    variant: str
    unit: str
    tier_above: int
    price: Decimal | None
    per: int
    valid_from: str
    approximate: str
    checked_on: str
    source: str
    note: str


@dataclass(frozen=True)
class Model:
    """A model of the catalogue under the book's name for it."""

    provider: Provider
    info: ModelInfo
    name: str


def main(checked_on: str | None = None) -> None:
    """Write the files; `checked_on` is the day on which the catalogue was read, today unless given."""
    day = checked_on or datetime.now(UTC).date().isoformat()
    providers = {provider.id: provider for provider in data_snapshot.get_snapshot().providers}
    aliases: list[tuple[str, ...]] = []
    left_out: list[str] = []
    for provider_id in PROVIDERS:
        lines: list[Line] = []
        for model in _models(providers[provider_id], providers):
            reason = _unfit(model.info)
            if reason:
                left_out.append(f"{provider_id}/{model.info.id}: {reason}")
                continue
            found = list(_lines(model, day))
            lines += found
            if found:
                aliases += (
                    (provider_id, "model", "exact", alias, model.name, day, _source()) for alias in _aliases(model)
                )
        _write(f"{provider_id}.csv", [field.name for field in fields(Line)], map(astuple, lines))
    _write("aliases.csv", ["provider", "field", "match", "pattern", "value", "checked_on", "source"], aliases)
    print(*left_out, sep="\n", file=sys.stderr)  # noqa: T201


def _models(provider: Provider, providers: Mapping[str, Provider]) -> Iterator[Model]:
    beginnings = PROVIDERS[provider.id]
    infos = [info for info in provider.models if info.id.startswith(beginnings or "")]
    names = {info.id: _canonical(provider.id, info.id, providers) for info in infos}
    fit = Counter(names[info.id] for info in infos if not _unfit(info))
    shared = {name for name, count in fit.items() if count > 1}
    for info in infos:
        # Snapshots with prices of their own keep their names.
        name = VENDOR.sub("", info.id.lower()) if names[info.id] in shared else names[info.id]
        yield Model(provider, info, name)


def _canonical(provider_id: str, model_id: str, providers: Mapping[str, Provider]) -> str:
    """Give the book's name of a model: the maker's own, whoever serves it."""
    name = model_id.lower().removesuffix("-latest")
    if provider_id != "openrouter":
        return name
    vendor, _, bare = name.partition("/")
    if vendor in ("anthropic", "openai"):
        for info in providers[vendor].models:
            if info.is_match(bare):
                return info.id.lower().removesuffix("-latest")
    return MONTH_AND_DAY.sub("", bare)


def _unfit(info: ModelInfo) -> str:
    """Say why a model's prices do not fit the book; empty if they do."""
    if ":" in info.id and not info.id.endswith(":free"):
        return "a variant spelt as a model"
    for price in _all_prices(info):
        for key, value in price.__dict__.items():
            if value is not None and key == "output_reasoning_mtok":
                return "reasoning has a price of its own"
            if value is not None and key.startswith("requests"):
                return "every request costs a fee"
    if not isinstance(info.prices, ModelPrice):
        for each in info.prices:
            if not isinstance(each.constraint, StartDateConstraint | None):
                return "prices by time of day"
    return ""


def _all_prices(info: ModelInfo) -> Iterator[ModelPrice]:
    if isinstance(info.prices, ModelPrice):
        yield info.prices
    else:
        yield from (each.prices for each in info.prices)


def _lines(model: Model, day: str) -> Iterator[Line]:
    """Give every price of a model: standard, then each variant in full, then the US prices where they differ."""
    standard = _dated(model.info)
    variants = {"": standard}
    for variant in model.info.price_variants or ():
        name = next(iter(variant.when.values()))
        if _has_prices(variant.prices):
            variants[name] = _override(standard, variant)
    for name, dated in variants.items():
        lines = list(_changes(model, name, dated, day))
        yield from lines
        if model.provider.id == "anthropic" and lines and not BEFORE_GEOGRAPHY.match(model.name):
            yield from (_in_us(line) for line in lines)


def _dated(info: ModelInfo) -> dict[date, ModelPrice]:
    """Give the standard prices by the day they begin."""
    if isinstance(info.prices, ModelPrice):
        return {BEGINNING: info.prices}
    found: dict[date, ModelPrice] = {}
    for each in info.prices:
        begins = each.constraint.start_date if isinstance(each.constraint, StartDateConstraint) else BEGINNING
        found[begins] = each.prices  # later entries take precedence
    return dict(sorted(found.items()))


def _override(standard: Mapping[date, ModelPrice], variant: PriceVariant) -> dict[date, ModelPrice]:
    begins = variant.constraint.start_date if isinstance(variant.constraint, StartDateConstraint) else BEGINNING
    own = {key: value for key, value in variant.prices.__dict__.items() if value is not None}
    holding = [day for day in standard if day <= begins]
    days = {begins: standard[holding[-1]]} if holding else {}
    days.update({day: price for day, price in standard.items() if day > begins})
    return {day: ModelPrice(**{**price.__dict__, **own}) for day, price in days.items()}


def _has_prices(price: ModelPrice) -> bool:
    return any(value is not None for value in price.__dict__.values())


def _changes(model: Model, variant: str, dated: Mapping[date, ModelPrice], day: str) -> Iterator[Line]:
    """Give a line for each price that begins, changes or ends on a day."""
    before: dict[tuple[str, int], tuple[Decimal, int]] = {}
    for begins, price in sorted(dated.items()):
        now = dict(_by_unit(model.provider.id, price))
        mixed = any(getattr(price, key, None) is not None for key in MIXED_CACHE)
        for (unit, tier), (amount, per) in sorted(now.items()):
            if before.get((unit, tier)) != (amount, per):
                yield _line(model, variant, unit, tier, amount, per, begins, day, mixed)
        for (unit, tier), (_, per) in sorted(before.items()):
            if (unit, tier) not in now:
                yield _line(model, variant, unit, tier, None, per, begins, day, mixed)
        before = now


def _by_unit(provider_id: str, price: ModelPrice) -> Iterator[tuple[tuple[str, int], tuple[Decimal, int]]]:
    for key, value in price.__dict__.items():
        if key not in UNITS or value is None:
            continue
        unit, per = UNITS[key]
        if key == "cache_write_mtok":
            unit = WRITE_UNITS.get(provider_id, unit)
        if isinstance(value, TieredPrices):
            yield (unit, 0), (value.base, per)
            yield from (((unit, tier.start), (tier.price, per)) for tier in value.tiers)
        else:
            yield (unit, 0), (value, per)
    if provider_id == "anthropic" and getattr(price, "web_searches_kcount", None) is not None:
        yield ("web_fetch_requests", 0), (Decimal(0), 1)


def _line(
    model: Model,
    variant: str,
    unit: str,
    tier: int,
    amount: Decimal | None,
    per: int,
    begins: date,
    day: str,
    mixed: bool,
) -> Line:
    unclear = mixed and unit == "cache_read_tokens"
    note = "Cached audio and images have other prices" if unclear else ""
    source = _source((model.provider.pricing_urls or [""])[0])
    if unit == "web_fetch_requests":
        note, source = "Fetching costs nothing beyond its tokens", WEB_FETCH_PAGE
    return Line(
        provider=model.provider.id,
        region="",
        model=model.name,
        variant=variant,
        unit=unit,
        tier_above=tier,
        price=amount,
        per=per,
        valid_from="" if begins == BEGINNING else begins.isoformat(),
        approximate="approximate" if unclear else "",
        checked_on=day,
        source=source,
        note=note if amount is not None else "Ended",
    )


def _in_us(line: Line) -> Line:
    if line.price is None or line.unit.endswith("_requests"):
        return replace(line, region="us")
    price = line.price * US_SURCHARGE
    return replace(line, region="us", price=price, source=US_PAGE, note="1.1 times the price without a region")


def _aliases(model: Model) -> list[str]:
    """List the exact names that the catalogue knows for a model; dates and the like are cut by rules instead."""
    names = {clause.lower() for clause in _clauses(model.info.match)} | {model.info.id.lower()}
    return sorted(name for name in names if name != model.name and not re.search(r"(@|-20[0-9]{2}|:beta)$", name))


def _clauses(match: Any) -> Iterator[str]:
    for attribute in ("or_", "and_"):
        for part in getattr(match, attribute, ()):
            yield from _clauses(part)
    for attribute in ("equals", "starts_with"):
        text = getattr(match, attribute, None)
        if isinstance(text, str):
            yield text


def _source(page: str = "") -> str:
    from importlib.metadata import version

    return " via ".join(part for part in (page, f"genai-prices {version('genai-prices')}") if part)


def _write(name: str, columns: list[str], rows: Iterable[tuple[Any, ...]]) -> None:
    with (FOLDER / name).open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(
            [
                "" if cell is None else format(cell.normalize(), "f") if isinstance(cell, Decimal) else cell
                for cell in row
            ]
            for row in sorted(rows, key=str)
        )


if __name__ == "__main__":
    main(*sys.argv[1:])
