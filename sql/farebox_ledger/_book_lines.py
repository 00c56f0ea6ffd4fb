"""Lays out what genai-prices knows of a model as lines of the book: each price from a day on, variants in full."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Context, Decimal, Inexact, InvalidOperation

from genai_prices.types import (
    ConditionalPrice,
    ModelInfo,
    ModelPrice,
    PriceVariant,
    StartDateConstraint,
    TieredPrices,
    TimeOfDateConstraint,
)

from farebox_ledger._book_names import Model
from farebox_ledger._book_plans import Charge, regions_of

__all__ = ["FEE_UNTOLD", "PEAK", "Line", "hours_of", "lines_of", "unfit"]

MILLION, THOUSAND, SECONDS = 1_000_000, 1_000, 3_600
BEGINNING = date(1970, 1, 1)
PEAK = "peak"
HALF_HOUR = timedelta(minutes=30)
FINEST = Context(prec=60, traps=[Inexact, InvalidOperation])
DECIMALS = Decimal("1e-12")

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
    "cache_audio_read_mtok": ("cache_read_audio_tokens", MILLION),
    "cache_image_read_mtok": ("cache_read_image_tokens", MILLION),
    "input_audio_hours": ("audio_input_seconds", SECONDS),
    "input_mchars": ("input_characters", MILLION),
    "web_searches_kcount": ("web_search_requests", THOUSAND),
}
# How long a cache write lasts at the catalogue's one price for it, by the family of the model. Where one host serves
# several families, the price holds for writes of no named lifetime too.
# Source: the prompt-caching pages of platform.claude.com and developers.openai.com, read 2026-11-23; genai-prices'
# comments on kimi-k3.
FAMILY_WRITES = {"claude": "cache_write_5m_tokens", "gpt-": "cache_write_30m_tokens", "kimi": "cache_write_5m_tokens"}
SPLIT_WRITES = ("anthropic", "azure", "bedrock", "moonshot", "openai", "vertex")
SEVERAL_FAMILIES = ("azure", "bedrock", "moonshot")
UNSPLIT = "cache_write_unsplit_tokens"
# Keys of a variant's `when` that name a variant of the book, not something no span tells.
VARIANT_KEYS = ("processing", "service_tier", "speed")
STANDARD = "default"
# Cached audio and images have prices of their own, which one leaf for all cache reads cannot tell apart.
MIXED_CACHE = ("cache_audio_read_mtok", "cache_image_read_mtok")
# Models that search at every request, for a fee that neither the catalogue nor the usage of a call names.
# Source: developers.openai.com pricing (search preview models), openrouter.ai/perplexity/sonar, read 2026-11-23.
FEE_UNTOLD = re.compile(r"(^|/)(sonar|gpt-[0-9a-z.-]*search-(preview|api))")
WEB_FETCH_PAGE = "https://platform.claude.com/docs/en/agents-and-tools/tool-use/web-fetch-tool"


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


def unfit(info: ModelInfo) -> str:
    """Say why a model's prices do not fit the book; empty if they do."""
    if FEE_UNTOLD.search(info.id.lower()):
        return "every request costs a search fee, which no usage tells"
    for price in _all_prices(info):
        for key, value in price.__dict__.items():
            if value is not None and key in ("output_reasoning_mtok", "output_citation_mtok"):
                return "reasoning or citations have a price of their own"
            if value is not None and key.startswith("requests"):
                return "every request costs a fee, which depends on what no span tells"
    return ""


def lines_of(model: Model, day: str, source: str) -> Iterator[Line]:
    """Give every price of a model: standard, variants in full, by the hour of day, and where regions differ."""
    pages = model.owner.pricing_urls or [""]
    page = " via ".join(part for part in (pages[0], source) if part)
    for variant, dated in _variants(model.info).items():
        for line in _changes(model, variant, dated, day, page):
            for charge in regions_of(model.plan.provider, model.name, model.info.id.lower()):
                yield _charged(line, charge)


def hours_of(info: ModelInfo) -> list[str]:
    """List the half hours of the day, UTC, at which the price is the peak's, as 00:30."""
    windows = [each.constraint for each in _conditions(info) if isinstance(each.constraint, TimeOfDateConstraint)]
    moments = [datetime(2000, 1, 1, tzinfo=UTC) + HALF_HOUR * number for number in range(48)]
    return [f"{moment:%H:%M}" for moment in moments if any(window.active(moment) for window in windows)]


def _variants(info: ModelInfo) -> dict[str, dict[date, ModelPrice]]:
    quiet = _quiet_time(info)
    found = {"": _dated(info, {}, BEGINNING, quiet)}
    busy = [each.constraint for each in _conditions(info) if isinstance(each.constraint, TimeOfDateConstraint)]
    if busy:
        # A price by the hour is listed beside the newest list; what held at those hours before is not known here.
        begins = max((_begin(each.constraint) for each in _conditions(info)), default=BEGINNING)
        found[PEAK] = _dated(info, {}, begins, busy[0].start_time)
    for variant in info.price_variants or ():
        ((key, name), *more) = variant.when.items()
        # A variant without prices costs what the standard does; the standard tier's own name leads there anyway.
        if key in VARIANT_KEYS and not more and name != STANDARD:
            begins = min(_begin(other.constraint) for other in _same(info, variant))
            found[name] = _dated(info, variant.when, begins, quiet)
    return found


def _dated(info: ModelInfo, context: Mapping[str, str], begins: date, at: time) -> dict[date, ModelPrice]:
    """Give the prices by the day they begin, asking the catalogue itself on every day on which any begins."""
    constraints = [each.constraint for each in _conditions(info)]
    constraints += [each.constraint for each in info.price_variants or ()]
    days = {begins, *(day for day in map(_begin, constraints) if day > begins)}
    return {day: info.get_prices(datetime.combine(day, at, UTC), dict(context)) for day in sorted(days)}


def _same(info: ModelInfo, variant: PriceVariant) -> list[PriceVariant]:
    return [each for each in info.price_variants or () if each.when == variant.when]


def _conditions(info: ModelInfo) -> list[ConditionalPrice]:
    return [] if isinstance(info.prices, ModelPrice) else info.prices


def _begin(constraint: object) -> date:
    return constraint.start_date if isinstance(constraint, StartDateConstraint) else BEGINNING


def _quiet_time(info: ModelInfo) -> time:
    """Give a time of day at which no peak price holds."""
    busy = set(hours_of(info))
    quiet = next(slot for number in range(48) if (slot := f"{number // 2:02}:{number % 2 * 30:02}") not in busy)
    return time.fromisoformat(quiet)


def _all_prices(info: ModelInfo) -> Iterator[ModelPrice]:
    if isinstance(info.prices, ModelPrice):
        yield info.prices
    yield from (each.prices for each in _conditions(info))


def _has_prices(price: ModelPrice) -> bool:
    return any(value is not None for value in price.__dict__.values())


def _changes(model: Model, variant: str, dated: Mapping[date, ModelPrice], day: str, page: str) -> Iterator[Line]:
    """Give a line for each price that begins, changes or ends on a day."""
    before: dict[tuple[str, int], tuple[Decimal, int]] = {}
    for begins, price in sorted(dated.items()):
        now = dict(_by_unit(model, price))
        mixed = any(getattr(price, key, None) is not None for key in MIXED_CACHE)
        for (unit, tier), (amount, per) in sorted(now.items()):
            if before.get((unit, tier)) != (amount, per):
                yield _line(model, variant, unit, tier, amount, per, begins, day, page, mixed)
        for (unit, tier), (_, per) in sorted(before.items()):
            if (unit, tier) not in now:
                yield _line(model, variant, unit, tier, None, per, begins, day, page, mixed)
        before = now


def _by_unit(model: Model, price: ModelPrice) -> Iterator[tuple[tuple[str, int], tuple[Decimal, int]]]:
    provider = model.plan.provider
    for key, value in price.__dict__.items():
        if key not in UNITS or value is None:
            continue
        unit, per = UNITS[key]
        units = _write_units(model) if key == "cache_write_mtok" else (unit,)
        tiers = (
            {0: value.base, **{tier.start: tier.price for tier in value.tiers}}
            if isinstance(value, TieredPrices)
            else {0: value}
        )
        if all(_is_exact(amount, per) for amount in tiers.values()):
            yield from (((unit, start), (amount, per)) for unit in units for start, amount in tiers.items())
    if provider == "anthropic" and getattr(price, "web_searches_kcount", None) is not None:
        yield ("web_fetch_requests", 0), (Decimal(0), 1)
    if model.info.id.endswith(":free") and not _has_prices(price):
        yield ("uncached_input_tokens", 0), (Decimal(0), 1)
        yield ("output_tokens", 0), (Decimal(0), 1)


def _write_units(model: Model) -> tuple[str, ...]:
    if model.plan.provider not in SPLIT_WRITES:
        return (UNSPLIT,)
    unit = next((unit for family, unit in FAMILY_WRITES.items() if family in model.name), UNSPLIT)
    return (unit, UNSPLIT) if model.plan.provider in SEVERAL_FAMILIES and unit != UNSPLIT else (unit,)


def _is_exact(amount: Decimal, per: int) -> bool:
    """Tell whether the price of one unit fits the book's twelve decimals; what does not is left out, never rounded."""
    try:
        FINEST.quantize(FINEST.divide(amount, Decimal(per)), DECIMALS)
    except (Inexact, InvalidOperation):
        return False
    return True


def _line(
    model: Model,
    variant: str,
    unit: str,
    tier: int,
    amount: Decimal | None,
    per: int,
    begins: date,
    day: str,
    source: str,
    mixed: bool,
) -> Line:
    unclear = mixed and unit == "cache_read_tokens"
    note = "Cached audio and images have other prices" if unclear else model.plan.note
    if unit == "web_fetch_requests":
        note, source = "Fetching costs nothing beyond its tokens", WEB_FETCH_PAGE
    return Line(
        provider=model.plan.provider,
        region="",
        model=model.name,
        variant=variant,
        unit=unit,
        tier_above=tier,
        price=amount,
        per=per,
        valid_from="" if begins == BEGINNING else begins.isoformat(),
        approximate="approximate" if unclear or model.plan.approximate else "",
        checked_on=day,
        source=source,
        note=note if amount is not None else "Ended",
    )


def _charged(line: Line, charge: Charge) -> Line:
    if line.price is None or line.unit.endswith("_requests"):
        return replace(line, region=charge.region)
    if charge.factor == 1:
        return replace(line, region=charge.region, note=line.note or charge.note)
    price = line.price * charge.factor
    return replace(line, region=charge.region, price=price, source=charge.source, note=charge.note)
