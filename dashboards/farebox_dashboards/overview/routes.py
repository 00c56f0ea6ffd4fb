"""The league table of routes, each a link to its own dashboard."""

from __future__ import annotations

from farebox_dashboards._dashboard import link_to
from farebox_dashboards._panels import COUNT, SHARE, Column, Panel, Row, listing

__all__ = ["ROUTES"]


def _league() -> Panel:
    return listing(
        "Routes",
        "What each route cost and how it went, dearest first; a click on a route opens it.",
        "routes",
        "currencyUSD",
        columns={
            "route": Column(link=link_to("farebox-route", "route", "__value.raw"), width=180),
            "spend": Column(unit="currencyUSD", gauge=True),
            "change on last week": SHARE,
            "p95": Column(unit="ms", decimals=0),
            "failure rate": SHARE,
            "at least": SHARE,
            "at most": SHARE,
            "attempts": COUNT,
        },
    )


ROUTES = Row("Routes", (_league(),))
