"""The row of what has no price, or one that took a guess."""

from __future__ import annotations

from farebox_dashboards._panels import COUNT, Column, Panel, Row, listing
from farebox_dashboards.overview.now import not_priced

__all__ = ["UNPRICED"]


def _in_doubt() -> Panel:
    return listing(
        "Unpriced and ambiguous models",
        "Attempts without a full price by model and reason, and those whose price took something for granted.",
        "models_in_doubt",
        "currencyUSD",
        columns={
            "model": Column(width=180),
            "state": Column(width=100),
            "reason": Column(width=360),
            "attempts": COUNT,
            "tokens": COUNT,
            "spend": Column(unit="currencyUSD", width=100),
            "last": Column(unit="dateTimeAsIso", width=160),
        },
        width=18,
    )


UNPRICED = Row("What has no price", (_in_doubt(), not_priced(6)))
