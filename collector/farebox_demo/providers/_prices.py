"""The simulated providers' own price list, in US dollars per million tokens, exact.

It agrees with the price book of the ledger in value and shares nothing else with it: one checks the other.

Source: the price pages of platform.claude.com and openai.com; the article's figures for Qwen 3.5 Flash, which
Fireworks, Together and Alibaba bill each in its own way; read in November 2026.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Context, Decimal, Inexact, localcontext

__all__ = ["PRICES", "Price", "amount"]

MILLION_EXPONENT = -6
DIGITS = 38


@dataclass(frozen=True)
class Price:
    """What one token of each class costs."""

    uncached_input: Decimal
    output: Decimal
    cache_read: Decimal
    cache_write_5m: Decimal = Decimal(0)
    cache_write_1h: Decimal = Decimal(0)

    @classmethod
    def per_million(cls, uncached_input: str, output: str, cache_read: str, *writes: str) -> Price:
        """Read dollars per million tokens; the writes are those for 5m and 1h, where the host has them."""
        figures = (uncached_input, output, cache_read, *writes)
        return cls(*(Decimal(figure).scaleb(MILLION_EXPONENT) for figure in figures))


PRICES: Mapping[tuple[str, str], Price] = {
    ("anthropic", "claude-haiku-4-5"): Price.per_million("1", "5", "0.10", "1.25", "2"),
    ("anthropic", "claude-sonnet-4-6"): Price.per_million("3", "15", "0.30", "3.75", "6"),
    ("openai", "gpt-5.4-mini"): Price.per_million("0.75", "4.50", "0.075"),
    ("openrouter", "qwen3.5-flash"): Price.per_million("0.065", "0.26", "0.065"),
    # Model Studio's implicit cache bills a hit at 20 % of the input price.
    ("alibaba", "qwen3.5-flash"): Price.per_million("0.10", "0.40", "0.02"),
    ("fireworks", "qwen3.5-flash"): Price.per_million("0.30", "1.20", "0.15"),
    # Together has no discount for cached tokens.
    ("together", "qwen3.5-flash"): Price.per_million("0.30", "1.20", "0.30"),
}


def amount(price: Price, tokens: Mapping[str, int]) -> Decimal:
    """Multiply each class of tokens by its price and add up, with no rounding."""
    with localcontext(Context(prec=DIGITS, traps=[Inexact])):
        return sum((count * getattr(price, name) for name, count in tokens.items()), start=Decimal(0))
