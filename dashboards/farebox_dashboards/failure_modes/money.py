"""The row that says what failures cost, and whether a retry mends them."""

from __future__ import annotations

from farebox_dashboards._panels import COUNT, SHARE, Column, Panel, Row, listing
from farebox_dashboards.overview.now import failure_rate, failure_spend, not_priced
from farebox_dashboards.route.failures import failures_by_class

__all__ = ["MONEY"]


def _recovered() -> Panel:
    return listing(
        "Recovered or not",
        "Failed attempts that a retry made good until now, or another call of their task, and those that nothing did.",
        "failures_recovered",
        "currencyUSD",
        columns={
            "class": Column(width=180),
            **dict.fromkeys(("failed", "by retry", "by another call", "not recovered"), COUNT),
            **dict.fromkeys(("recovered", "at least", "at most"), SHARE),
        },
        width=24,
    )


MONEY = Row(
    "What failures cost",
    (failure_rate(8), failure_spend(8), not_priced(8), failures_by_class(24), _recovered()),
)
