"""The row of cache economics: whether writing to the cache, for how long, earns its surcharge."""

from __future__ import annotations

from farebox_dashboards._panels import CHANGE, COUNT, Column, Panel, Row, listing
from farebox_dashboards.route.tokens import hit_rate, savings

__all__ = ["CACHES"]

# Savings are good: what is below zero costs.
SAVED = Column(
    unit="currencyUSD",
    steps=((None, "red"), (0, "green")),
    settings=CHANGE.settings,
)


def _by_lifetime() -> Panel:
    return listing(
        "Cache economics by lifetime",
        "What writing to the cache and reading it cost against plain input, and whether it is read enough.",
        "cache_by_lifetime",
        "currencyUSD",
        columns={
            "model": Column(width=180),
            "what": Column(width=180),
            "tokens": COUNT,
            "saved": SAVED,
            "reads to pay": Column(unit="none", decimals=2),
            "reads": Column(unit="none", decimals=2),
            "not comparable": COUNT,
        },
    )


CACHES = Row("Caches", (_by_lifetime(), hit_rate(12), savings(12)))
