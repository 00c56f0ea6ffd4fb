"""The rows that say where the money went: who contributed, before and after, and the dearest calls."""

from __future__ import annotations

from farebox_dashboards._panels import CHANGE, COUNT, WHOLE, Column, Panel, Row, listing
from farebox_dashboards.overview.spend import spend_by_route
from farebox_dashboards.route.calls import costliest
from farebox_dashboards.route.money import spend_by_model

__all__ = ["CALLS", "WHERE"]

CHANGED = {
    "kind": Column(width=120),
    "value": Column(width=220),
    "change": CHANGE,
    "calls, usual": Column(unit=WHOLE, decimals=1),
    "calls": COUNT,
}


def _contributors() -> Panel:
    return listing(
        "Contributors before and after",
        "Routes, models and providers whose spend changed most against the same hours of a usual day.",
        "spike_contributors",
        "currencyUSD",
        columns=CHANGED,
        height=11,
    )


def _details() -> Panel:
    return listing(
        "Tenants, users, prompt versions and services",
        "Those whose spend changed most against the same hours of a usual day; slower over days, as rollups lack them.",
        "spike_details",
        "currencyUSD",
        columns=CHANGED,
        height=8,
    )


WHERE = Row("Where", (_contributors(), _details(), spend_by_route(), spend_by_model()))
CALLS = Row("Top traces", (costliest(),))
