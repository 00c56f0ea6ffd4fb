"""The row of tokens and caches."""

from __future__ import annotations

from farebox_dashboards._panels import Column, Panel, Row, chart

__all__ = ["TOKENS"]


def _by_class() -> Panel:
    return chart(
        "Tokens by class",
        "Tokens over time in classes that exclude each other: input at full price, cache reads, cache writes, output.",
        "tokens_by_class",
        "short",
        bars=True,
        width=8,
    )


def _hit_rate() -> Panel:
    return chart(
        "Cache hit rate",
        "Share of the input tokens that were read from the provider's cache.",
        "cache_hit_rate",
        "percentunit",
        width=8,
    )


def _savings() -> Panel:
    return chart(
        "What caching saved",
        "Cached tokens at full input price less their cost; below zero caching cost money. Points lack a comparison.",
        "cache_savings",
        "currencyUSD",
        bars=True,
        columns={"not comparable": Column(unit="short", decimals=0, right=True)},
        width=8,
    )


TOKENS = Row("Tokens and cache", (_by_class(), _hit_rate(), _savings()))
