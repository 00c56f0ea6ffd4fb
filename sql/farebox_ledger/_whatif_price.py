"""What tokens cost at a model of a provider: the book's own lines, looked up by the names that the ledger knows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from farebox_ledger._prices import show_model
from farebox_ledger.errors import LedgerError

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

__all__ = ["Prices", "Target", "find_target", "parse_target"]

UNITS = (
    "uncached_input_tokens",
    "cache_read_tokens",
    "cache_write_5m_tokens",
    "cache_write_1h_tokens",
    "output_tokens",
)
TOKENS_STEP = Decimal("0.001")


@dataclass(frozen=True)
class Prices:
    """USD a token of each unit, by the total input that they hold above; a unit without a price costs as input does."""

    tiers: Sequence[tuple[int, Mapping[str, Decimal]]]

    def cost(self, total: float, tokens: Mapping[str, float]) -> Decimal:
        """Price the tokens of a prompt of so many in all, and of its answer."""
        prices = next(prices for above, prices in reversed(self.tiers) if total > above or above == 0)
        return sum(
            (Decimal(count).quantize(TOKENS_STEP) * prices[unit] for unit, count in tokens.items() if count),
            start=Decimal(0),
        )

    @property
    def read_discount(self) -> Decimal:
        """What a token less costs when it is read from the cache, in USD."""
        prices = self.tiers[0][1]
        return prices["uncached_input_tokens"] - prices["cache_read_tokens"]


@dataclass(frozen=True)
class Target:
    """A model at a provider, by the book's name of it, and its prices."""

    model: str
    provider: str
    prices: Prices
    notes: Sequence[str] = ()

    def __str__(self) -> str:
        return f"{self.model}@{self.provider}"


def parse_target(text: str) -> tuple[str, str, float]:
    """Read MODEL@PROVIDER[,share=0.5].

    Raises:
        LedgerError: it is none.
    """
    named, *options = text.split(",")
    model, at, provider = named.strip().rpartition("@")
    share = 1.0
    for option in options:
        key, _, value = option.strip().partition("=")
        try:
            share = float(value) if key == "share" else -1.0
        except ValueError:
            share = -1.0
    if not at or not model or not provider or not 0 < share <= 1:
        raise LedgerError(
            f"--to {text!r} is no change; write MODEL@PROVIDER, and with ,share=0.5 a part of the traffic, above 0 to 1"
        )
    return model, provider, share


def find_target(client: Client, model: str, provider: str, at: datetime) -> Target:
    """Look a model up in the book, at the provider's list prices of a moment: no region, no tier.

    Raises:
        LedgerError: the book does not know it, or has no price of it for input or output.
    """
    known = next(iter(show_model(client, model, provider, at)))
    rows = [row for row in known.prices if not row["variant"]]
    regions = sorted({row["region"] for row in rows}, key=lambda region: (region != "", region != "global", region))
    rows = sorted((row for row in rows if row["region"] == regions[0]), key=_above) if regions else []
    if not rows or rows[0]["uncached_input_tokens"] is None or rows[0]["output_tokens"] is None:
        raise LedgerError(
            f"the price book has no price of {model} at {provider} for input and output; "
            f"`farebox prices show {model}` shows what it has, `farebox prices import` brings yours"
        )
    notes = [f"prices are those of the region {regions[0]}"] if regions[0] else []
    tiers = []
    filled: dict[str, Decimal] = {}
    for row in rows:
        filled = {**filled, **{unit: row[unit] for unit in UNITS if row.get(unit) is not None}}
        base = filled["uncached_input_tokens"]
        tiers.append((_above(row), {unit: filled.get(unit, base) for unit in UNITS}))
    return Target(known.model, known.provider, Prices(tiers), tuple(notes))


def _above(row: Mapping[str, Any]) -> int:
    return int(row["tier_above"])
