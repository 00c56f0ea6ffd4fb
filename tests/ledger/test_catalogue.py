"""The generated half of the price book says what its source says."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

from clickhouse_connect.driver.client import Client
from genai_prices import Usage, data_snapshot
from genai_prices.types import ModelInfo, Provider
from ledger.second_opinion import Key, book, price_of
from ledger.spans import Span, attempt, rows, store

MOMENT = datetime(2026, 11, 20, tzinfo=UTC)
# Leaf → its number in a small call and in one above every context tier.
SMALL = {
    "uncached_input_tokens": 1003,
    "cache_read_tokens": 101,
    "cache_write_5m_tokens": 53,
    "cache_write_1h_tokens": 29,
    "output_tokens": 17,
    "web_search_requests": 3,
}
LARGE = {leaf: count * 1009 for leaf, count in SMALL.items()}
CONTEXTS = {"batch": {"processing": "batch"}, "fast": {"speed": "fast"}}


def models(provider: Provider) -> list[tuple[Key, ModelInfo]]:
    """Pair the keys of the book, without the regions that the catalogue does not know, with the catalogue's models."""
    names = {info.id.lower().removesuffix("-latest"): info for info in provider.models}
    return [(key, names[key[2]]) for key in sorted(book()) if key[0] == provider.id and not key[1] and key[2] in names]


def usages(key: Key) -> list[dict[str, int]]:
    """Give a small and a large usage of the units that a key has prices of its own for."""
    own = book()[key]
    found = [{leaf: count for leaf, count in usage.items() if leaf in own} for usage in (SMALL, LARGE)]
    return [usage for usage in found if {"uncached_input_tokens", "output_tokens"} <= usage.keys()]


def catalogue_cost(key: Key, info: ModelInfo, provider: Provider, usage: dict[str, int]) -> Decimal:
    """Ask genai-prices what a usage costs."""
    five, hour = usage.get("cache_write_5m_tokens", 0), usage.get("cache_write_1h_tokens", 0)
    read = usage.get("cache_read_tokens", 0)
    counted = Usage(
        input_tokens=usage["uncached_input_tokens"] + read + five + hour,
        cache_read_tokens=read,
        cache_write_tokens=five + hour,
        cache_write_5m_tokens=five,
        cache_write_1h_tokens=hour,
        output_tokens=usage["output_tokens"],
        web_searches=usage.get("web_search_requests", 0),
    )
    context = CONTEXTS.get(key[3], {"service_tier": key[3]} if key[3] else None)
    if key[:1] + key[3:] == ("openai", "fast"):
        context = {"service_tier": "fast"}
    return info.calc_price(counted, provider, genai_request_timestamp=MOMENT, price_context=context).total_price


def test_the_ledger_agrees_with_the_catalogue(ledger_client: Client) -> None:
    """For every model and variant of Anthropic and OpenAI in the book, small calls and large cost the same."""
    cases: list[tuple[Key, dict[str, int], Span, Decimal]] = []
    for provider in data_snapshot.get_snapshot().providers:
        if provider.id not in ("anthropic", "openai"):
            continue
        for key, info in models(provider):
            for usage in usages(key):
                said = {"kind": "batch_result"} if key[3] == "batch" else {"service_tier": key[3]}
                if key[:1] + key[3:] == ("anthropic", "fast"):
                    said = {"speed": "fast"}
                span = attempt(key[2], key[0], usage=usage, started_at=MOMENT, **said)
                cases.append((key, usage, span, catalogue_cost(key, info, provider, usage)))
    store(ledger_client, *(span for _, _, span, _ in cases))

    found = rows(ledger_client, [span for _, _, span, _ in cases], "list_cost")

    assert len(cases) > 300
    assert [(key, usage, cost) for (key, usage, _, _), (cost,) in zip(cases, found, strict=True)] == [
        (key, usage, expected) for key, usage, _, expected in cases
    ]


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
            price_of(key, unit, 1000, MOMENT)
            for unit in ("uncached_input_tokens", "output_tokens", "cache_read_tokens")
        )
        for key in published
    }

    assert found == {key: tuple(Decimal(price) / 10**6 for price in prices) for key, prices in published.items()}
