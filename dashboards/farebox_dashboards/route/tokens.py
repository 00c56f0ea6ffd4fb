"""The row of tokens and caches."""

from __future__ import annotations

from farebox_dashboards._panels import Column, Panel, Row, chart

__all__ = ["TOKENS", "hit_rate", "savings"]


def _by_class() -> Panel:
    return chart(
        "Tokens by class",
        "Tokens over time in classes that exclude each other: input at full price, cache reads, cache writes, output.",
        "tokens_by_class",
        "short",
        bars=True,
        width=8,
    )


def hit_rate(width: int) -> Panel:
    """Draw how much input came from caches."""
    return chart(
        "Cache hit rate",
        "Share of the input tokens that were read from the provider's cache.",
        "cache_hit_rate",
        "percentunit",
        width=width,
    )


def savings(width: int) -> Panel:
    """Draw what caching saved."""
    return chart(
        "What caching saved",
        "Cached tokens at full input price less their cost; below zero caching cost money. Points lack a comparison.",
        "cache_savings",
        "currencyUSD",
        bars=True,
        columns={"not comparable": Column(unit="short", decimals=0, right=True)},
        width=width,
    )


TOKENS = Row("Tokens and cache", (_by_class(), hit_rate(8), savings(8)))
