"""Says which providers of genai-prices make up the catalogue, under which names and regions of ours.

One plan a provider of ours. What a catalogue cannot know of a provider, who serves it or what a region adds, is said
here with its source.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

__all__ = ["PLANS", "Charge", "Plan", "regions_of"]


@dataclass(frozen=True)
class Plan:
    """Where the prices of one provider come from; `others` are makers whose own prices hold where it lists none."""

    provider: str
    source: str
    others: tuple[str, ...] = ()
    models: str = ""
    approximate: bool = False
    note: str = ""


@dataclass(frozen=True)
class Charge:
    """What a region adds to the listed price, and the page that says so; nothing where the list is the region's."""

    region: str
    factor: Decimal = Decimal(1)
    source: str = ""
    note: str = ""


_AZURE_NOTE = "Global deployment; a data zone or a region costs more, and an address does not tell which it is"
_VERTEX_NOTE = "As Google lists it for the Gemini API"

PLANS: Sequence[Plan] = (
    Plan("anthropic", "anthropic"),
    Plan("azure", "azure", others=("openai", "anthropic", "x-ai"), approximate=True, note=_AZURE_NOTE),
    Plan("bedrock", "aws"),
    Plan("cerebras", "cerebras"),
    Plan("cohere", "cohere"),
    Plan("deepseek", "deepseek"),
    Plan("fireworks", "fireworks"),
    Plan("google", "google", models=r"(?!claude)"),
    Plan("groq", "groq"),
    Plan("minimax", "minimax"),
    Plan("mistral", "mistral"),
    Plan("moonshot", "moonshotai"),
    Plan("novita", "novita"),
    Plan("openai", "openai"),
    Plan("openrouter", "openrouter"),
    Plan("perplexity", "perplexity"),
    Plan("together", "together"),
    Plan("vertex", "google", models=r"claude|gemini"),
    Plan("voyage", "voyageai"),
    Plan("xai", "x-ai"),
    Plan("zai", "zai"),
)

_ANTHROPIC_US = "https://platform.claude.com/docs/en/build-with-claude/data-residency"
_VERTEX_CLAUDE = "https://platform.claude.com/docs/en/build-with-claude/claude-on-vertex-ai"
# Inference kept in the US costs a tenth more for every kind of token, on Opus 4.6 and what came after it.
# Source: platform.claude.com data-residency and pricing pages, read 2026-11-23.
_US = Charge("us", Decimal("1.1"), _ANTHROPIC_US, "1.1 times the price without a region")
# From Sonnet 4.5 on, an endpoint of one region or several costs a tenth more than the global one.
# Source: platform.claude.com claude-on-vertex-ai page, read 2026-11-23; genai-prices' comments say the same.
_VERTEX_REGIONAL = Charge("regional", Decimal("1.1"), _VERTEX_CLAUDE, "1.1 times the price of the global endpoint")
_OPENAI_RESIDENCY = "https://developers.openai.com/api/docs/guides/data-residency"
# Data residency endpoints cost a tenth more, of models released on 5 March 2026 or later.
# Source: developers.openai.com data-residency page, read 2026-11-23; GPT-5.4 came out that day.
_RESIDENCY = Charge("residency", Decimal("1.1"), _OPENAI_RESIDENCY, "1.1 times the price of the global endpoint")
_BEFORE_RESIDENCY = re.compile(r"(ft:)?(gpt-([34]|5($|-|\.[0-3]))|o[134]($|-)|text-|davinci|babbage|whisper-1|tts-1)")
_SINCE_RESIDENCY = re.compile(r"gpt-(5\.[4-9]|[6-9])")
# The one model of xAI's endpoint in the US costs a tenth more there.
# Source: docs.x.ai regions page, read 2026-11-23.
_XAI_US = Charge(
    "us",
    Decimal("1.1"),
    "https://docs.x.ai/developers/advanced-api-usage/regions",
    "1.1 times the price of the global endpoint",
)
# Together's addresses of one country cost a quarter more, for every kind of token.
# Source: docs.together.ai geo-specific-inference page, read 2026-11-23.
_TOGETHER = tuple(
    Charge(
        country,
        Decimal("1.25"),
        "https://docs.together.ai/docs/serverless/geo-specific-inference",
        "1.25 times the price of the address without a country",
    )
    for country in ("us", "ca")
)
_BEFORE_GEOGRAPHY = re.compile(r"claude-(v?[1-3]|(opus|sonnet|haiku)-4-[0-5]$)")
_BEFORE_PREMIUM = re.compile(r"claude-(v?[1-3]|[34]-|(opus|sonnet)-4(-[01])?$)|gemini-[12]\.")
_EVERYWHERE = (Charge(""), Charge("global"), Charge("regional"))


def regions_of(provider: str, model: str, catalogue_id: str) -> tuple[Charge, ...]:
    """List the regions that a listed price makes prices for; the region is empty where it is not asked or not known."""
    if provider == "anthropic":
        return (Charge(""),) if _BEFORE_GEOGRAPHY.match(model) else (Charge(""), _US)
    if provider == "openai":
        return _openai_regions(model)
    if provider == "together":
        return (Charge(""), *_TOGETHER)
    if provider == "xai":
        return (Charge(""), _XAI_US) if model == "grok-4.6" else (Charge(""),)
    if provider == "vertex":
        if _BEFORE_PREMIUM.match(model):
            return _EVERYWHERE
        # What another endpoint than the global one adds for newer Gemini models is not known here.
        return (Charge("global"), _VERTEX_REGIONAL) if model.startswith("claude") else (Charge("global"),)
    if provider == "bedrock":
        if catalogue_id.startswith("global."):
            return (Charge("global"),)
        # Of models without profiles the catalogue lists what they cost in the US; other regions differ.
        regional = catalogue_id.startswith("regional.") or model in ("gpt-5.4", "gpt-5.5")
        return (Charge(""), Charge("us")) if regional else (Charge("us", note="Price in the US regions"),)
    return (Charge(""),)


def _openai_regions(model: str) -> tuple[Charge, ...]:
    if _BEFORE_RESIDENCY.match(model):
        return (Charge(""), Charge("residency"))
    return (Charge(""), _RESIDENCY) if _SINCE_RESIDENCY.match(model) else (Charge(""),)
