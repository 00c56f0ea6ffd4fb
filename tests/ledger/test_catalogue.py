"""The ledger agrees with genai-prices to the last digit, for every model, variant and day that both know."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from random import Random
from typing import Any

from clickhouse_connect.driver.client import Client
from genai_prices import Usage, data_snapshot
from genai_prices.types import ModelInfo, ModelPrice, Provider, StartDateConstraint, TieredPrices, TimeOfDateConstraint
from ledger.second_opinion import fallbacks, price_of
from ledger.spans import NOW, Span, attempt, store

SEED = 7
CASES_EACH = 6
BATCH = 5000
SECOND = timedelta(seconds=1)
PEAK = datetime(2026, 11, 20, 2, 30, tzinfo=UTC)
# genai-prices' provider → ours; Azure serves the models of its makers at their own price where it lists none.
PROVIDERS = {
    "anthropic": "anthropic",
    "aws": "bedrock",
    "azure": "azure",
    "cerebras": "cerebras",
    "cohere": "cohere",
    "deepseek": "deepseek",
    "fireworks": "fireworks",
    "google": "google",
    "groq": "groq",
    "minimax": "minimax",
    "mistral": "mistral",
    "moonshotai": "moonshot",
    "novita": "novita",
    "openai": "openai",
    "openrouter": "openrouter",
    "perplexity": "perplexity",
    "together": "together",
    "voyageai": "voyage",
    "x-ai": "xai",
    "zai": "zai",
}
MAKERS = ("anthropic", "openai", "x-ai")
# Price key → our leaf, and the count of genai-prices that it is.
LEAVES = {
    "input_mtok": ("uncached_input_tokens", ""),
    "output_mtok": ("output_tokens", ""),
    "cache_read_mtok": ("cache_read_tokens", "cache_read_tokens"),
    "cache_write_mtok": ("cache_write_unsplit_tokens", "cache_write_tokens"),
    "cache_write_5m_mtok": ("cache_write_5m_tokens", "cache_write_5m_tokens"),
    "cache_write_1h_mtok": ("cache_write_1h_tokens", "cache_write_1h_tokens"),
    "input_audio_mtok": ("audio_input_tokens", "input_audio_tokens"),
    "input_image_mtok": ("image_input_tokens", "input_image_tokens"),
    "output_audio_mtok": ("audio_output_tokens", "output_audio_tokens"),
    "output_image_mtok": ("image_output_tokens", "output_image_tokens"),
    "cache_audio_read_mtok": ("cache_read_audio_tokens", "cache_audio_read_tokens"),
    "cache_image_read_mtok": ("cache_read_image_tokens", "cache_image_read_tokens"),
    "input_audio_hours": ("audio_input_seconds", "input_audio_seconds"),
    "input_mchars": ("input_characters", "input_characters"),
    "web_searches_kcount": ("web_search_requests", "web_searches"),
}
PER = {"input_audio_hours": 3600, "web_searches_kcount": 1000}
# Where genai-prices has a price that the ledger has not, why. Besides, a price of 0.08333… for a million has no exact
# Decimal(38, 12) for one: leaves that have such a price are not drawn.
REASONS = {
    "a fee that no usage tells": "every request costs a fee, or searches for one, that is not in any usage",
    "no unit of ours": "sold by the page or the session, or by the hour at a price that twelve decimals cannot hold",
    "peak before its list": "genai-prices applies a peak price to all the past; the book from its own list on",
    "named without a price": "an entry without any price, and not named free, costs nothing in genai-prices",
}
# Entries of the catalogue that are only the beginning of a name.
WIRE = {
    "ft:gpt-3.5-turbo-": "ft:gpt-3.5-turbo-0125:acme::abc123",
    "ft:gpt-4o": "ft:gpt-4o-2024-08-06:acme:tone:abc123",
    "ft:gpt-4o-mini": "ft:gpt-4o-mini-2024-07-18:acme::abc123",
}
FEES = ("sonar", "search-preview", "search-api")

Case = tuple[Span, str]


def cases(random: Random) -> Iterator[Case]:
    """Make attempts of every model, each with what genai-prices says it costs as the host's own figure."""
    providers = {provider.id: provider for provider in data_snapshot.get_snapshot().providers}
    for provider in (providers[name] for name in PROVIDERS):
        for info in provider.models:
            yield from _of_model(random, provider, info, PROVIDERS[provider.id])
            if provider.id == "google" and info.id.startswith(("claude", "gemini")):
                yield from _of_model(random, provider, info, "vertex")
            if provider.id in MAKERS and not info.id.startswith("ft:") and not providers["azure"].find_model(info.id):
                yield from _of_model(random, provider, info, "azure")


def _of_model(random: Random, provider: Provider, info: ModelInfo, ours: str) -> Iterator[Case]:
    if ours == "google" and info.id.startswith("claude"):
        return
    for context in _contexts(info):
        for moment in _moments(info, context):
            price = info.get_prices(moment, context)
            reason = _unfit(info, price, moment)
            for _ in range(CASES_EACH):
                usage = _usage(random, ours, price)
                cost = info.calc_price(
                    _counted(usage), provider, genai_request_timestamp=moment, price_context=context
                ).total_price
                yield _span(ours, info.id, context, usage, moment, cost), reason


def _contexts(info: ModelInfo) -> list[dict[str, str]]:
    whens = [
        each.when for each in info.price_variants or () if each.when.keys() <= {"processing", "service_tier", "speed"}
    ]
    return [{}, *(dict(when) for when in {tuple(when.items()): when for when in whens}.values())]


def _moments(info: ModelInfo, context: dict[str, str]) -> list[datetime]:
    """Give a moment now, one at a busy hour, and those on both sides of each day on which a price begins."""
    conditions = [] if isinstance(info.prices, ModelPrice) else [each.constraint for each in info.prices]
    variants = [each for each in info.price_variants or () if each.when == context]
    found = {NOW}
    if any(isinstance(each, TimeOfDateConstraint) for each in conditions):
        found.add(PEAK)
    for constraint in (*conditions, *(each.constraint for each in variants)):
        if isinstance(constraint, StartDateConstraint):
            begins = datetime.combine(constraint.start_date, datetime.min.time(), UTC)
            found |= {begins, begins - SECOND}
    first = min(
        (each.constraint.start_date for each in variants if isinstance(each.constraint, StartDateConstraint)),
        default=None,
    )
    always = not variants or any(each.constraint is None for each in variants)
    return sorted(
        moment
        for moment in found
        if datetime(2024, 1, 1, tzinfo=UTC) < moment <= NOW
        and (always or (first is not None and moment.date() >= first))
    )


def _unfit(info: ModelInfo, price: ModelPrice, moment: datetime) -> str:
    """Say which of REASONS lets the ledger have no price where genai-prices has one; empty if none."""
    own = {key: value for key, value in price.__dict__.items() if value is not None}
    if not own:
        return "" if info.id.endswith(":free") else "named without a price"
    if any(key.startswith("requests") for each in _all(info) for key in each) or any(fee in info.id for fee in FEES):
        return "a fee that no usage tells"
    if not any(key in LEAVES and _is_exact(key, value) for key, value in own.items()):
        return "no unit of ours"
    conditions = [] if isinstance(info.prices, ModelPrice) else [each.constraint for each in info.prices]
    if any(isinstance(each, TimeOfDateConstraint) for each in conditions):
        begins = [each.start_date for each in conditions if isinstance(each, StartDateConstraint)]
        if begins and moment.date() < max(begins):
            return "peak before its list"
    return ""


def _all(info: ModelInfo) -> list[dict[str, Any]]:
    prices = [info.prices] if isinstance(info.prices, ModelPrice) else [each.prices for each in info.prices]
    return [{key: value for key, value in price.__dict__.items() if value is not None} for price in prices]


def _usage(random: Random, ours: str, price: ModelPrice) -> dict[str, int]:
    """Draw counts of the leaves that have a price here, or one that is known to stand in."""
    own = {key: value for key, value in price.__dict__.items() if value is not None and key in LEAVES}
    usage = {}
    marks = [tier.start for value in own.values() if isinstance(value, TieredPrices) for tier in value.tiers] or [1000]
    for key, (leaf, _) in LEAVES.items():
        stands_in = fallbacks().get((ours, leaf)) == "uncached_input_tokens" and "input_mtok" in own
        if (_is_exact(key, own[key]) if key in own else stands_in) and (
            random.random() < 0.7 or key in ("input_mtok", "output_mtok")
        ):
            usage[leaf] = random.choice([0, 1, random.randrange(5000), random.choice(marks) + random.randint(-1, 1)])
    return usage


def _is_exact(key: str, value: Decimal | TieredPrices) -> bool:
    """Tell whether twelve decimals hold the price of one."""
    prices = [value] if isinstance(value, Decimal) else [value.base, *(tier.price for tier in value.tiers)]
    return all((Fraction(price) / PER.get(key, 10**6) * 10**12).denominator == 1 for price in prices)


def _counted(usage: dict[str, int]) -> Usage:
    """Count as genai-prices does: totals that hold their parts, and explicit zeros where parts could overlap."""
    parts = {theirs: usage[leaf] for leaf, theirs in LEAVES.values() if theirs and leaf in usage}
    audio, image = (parts.get(f"cache_{kind}_read_tokens", 0) for kind in ("audio", "image"))
    cached = parts.get("cache_read_tokens", 0) + audio + image
    sounds, pictures = (parts.get(f"input_{kind}_tokens", 0) for kind in ("audio", "image"))
    writes = sum(count for name, count in parts.items() if name.startswith("cache_write"))
    outputs = sum(count for name, count in parts.items() if name.startswith("output_"))
    whole = {
        "cache_text_read_tokens": parts.get("cache_read_tokens", 0),
        "cache_audio_read_tokens": audio,
        "cache_image_read_tokens": image,
        "cache_read_tokens": cached,
        "cache_write_tokens": writes,
        "input_audio_tokens": sounds + audio,
        "input_image_tokens": pictures + image,
        "audio_seconds": parts.get("input_audio_seconds", 0),
        "input_tokens": usage.get("uncached_input_tokens", 0) + cached + sounds + pictures + writes,
        "output_tokens": usage.get("output_tokens", 0) + outputs,
    }
    return Usage(**{**parts, **whole})


def _span(
    ours: str, name: str, context: dict[str, str], usage: dict[str, int], moment: datetime, cost: Decimal
) -> Span:
    region = "global" if ours == "vertex" or name.startswith("global.") else ""
    if ours == "bedrock" and not region:
        region = "eu-west-1" if name.startswith("regional.") else "us-east-1"
    wire = name.replace("regional.", "eu.").removeprefix("global.") if ours == "bedrock" else WIRE.get(name, name)
    said = {
        "kind": "batch_result" if context.get("processing") == "batch" else "attempt",
        "service_tier": context.get("service_tier", ""),
        "speed": context.get("speed", ""),
    }
    return attempt(
        wire,
        ours,
        usage={"uncached_input_tokens": 0, "output_tokens": 0, **usage},
        started_at=moment,
        region=region,
        route="catalogue",
        reported_cost=format(cost, "f"),
        **said,
    )


def test_every_figure_is_that_of_genai_prices(ledger_client: Client) -> None:
    """Thousands of usages of all its models, variants, tiers and days cost the same, or have a reason not to."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns about price keys of its own data
        drawn = list(cases(Random(SEED)))
    for start in range(0, len(drawn), BATCH):
        store(ledger_client, *(span for span, _ in drawn[start : start + BATCH]))
    reasons = {span.span_id: reason for span, reason in drawn if reason}

    differing = ledger_client.query(
        "SELECT lower(hex(span_id)), provider, response_model, service_tier, region, started_at, list_cost, "
        "reported_cost, price_state, price_reason FROM llm_attempts "
        "WHERE route = 'catalogue' AND NOT ifNull(list_cost = reported_cost, false)"
    ).result_rows
    stored = ledger_client.query("SELECT count() FROM llm_attempts WHERE route = 'catalogue'").result_rows[0][0]

    assert stored == len(drawn) > 15_000
    assert [row for row in differing if row[0] not in reasons] == []
    # Where the ledger does not agree for a reason it has no price; only of peak hours before its list it has another.
    assert {reasons[row[0]] for row in differing if row[8] != "no_price"} <= {"peak before its list"}
    assert set(reasons.values()) == REASONS.keys()
    assert len(reasons) < len(drawn) / 20


def test_the_second_opinion_knows_the_published_prices() -> None:
    """The figures that everybody can look up, so that two wrong readings cannot agree."""
    published = {
        ("anthropic", "", "claude-haiku-4-5", ""): ("1", "5", "0.10"),
        ("anthropic", "", "claude-sonnet-4-6", ""): ("3", "15", "0.30"),
        ("openai", "", "gpt-5.4-mini", ""): ("0.75", "4.50", "0.075"),
        ("openai", "", "gpt-5.4-mini", "flex"): ("0.375", "2.25", "0.0375"),
        ("openai", "", "gpt-5.4-mini", "priority"): ("1.5", "9", "0.15"),
        ("alibaba", "", "qwen3.5-flash", ""): ("0.10", "0.40", "0.02"),
        ("fireworks", "", "qwen3.5-flash", ""): ("0.30", "1.20", "0.15"),
        ("openrouter", "", "qwen3.5-flash", ""): ("0.065", "0.26", "0.065"),
        ("together", "", "qwen3.5-flash", ""): ("0.30", "1.20", "0.30"),
    }

    found = {
        key: tuple(
            price_of(key, unit, 1000, NOW) for unit in ("uncached_input_tokens", "output_tokens", "cache_read_tokens")
        )
        for key in published
    }

    assert found == {key: tuple(Decimal(price) / 10**6 for price in prices) for key, prices in published.items()}
