"""The row that shows where money goes over time."""

from __future__ import annotations

from farebox_dashboards._dashboard import link_to
from farebox_dashboards._panels import Column, Panel, Row, chart

__all__ = ["SPEND", "spend_by_route"]

BUDGET = Column(
    settings={
        "color": {"fixedColor": "red", "mode": "fixed"},
        "custom.fillOpacity": 0,
        "custom.lineStyle": {"dash": [10, 10], "fill": "dash"},
    }
)


def spend_by_route() -> Panel:
    """Draw the money of each route."""
    return chart(
        "Spend by route",
        "Money spent over time on each route; points count attempts that are not fully priced, on the right axis.",
        "spend_by_route",
        "currencyUSD",
        label="route",
        link=link_to("farebox-route", "route", "__field.labels.route"),
        bars=True,
        not_priced="not_priced_over_time",
    )


def _this_month() -> Panel:
    return chart(
        "Spend this month, adding up",
        "Money spent since the month began, UTC, against the month's budget; points count what is not fully priced.",
        "spend_cumulated",
        "currencyUSD",
        columns={"budget": BUDGET},
        since="now/M",
    )


SPEND = Row("Spend over time", (spend_by_route(), _this_month()))
