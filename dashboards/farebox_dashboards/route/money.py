"""The row that says what the route costs."""

from __future__ import annotations

from farebox_dashboards._panels import Column, Panel, Row, chart, figures
from farebox_dashboards.overview.now import cost_per_success, failure_rate, failure_spend, not_priced

__all__ = ["MONEY", "spend_by_model"]

WIDTH = 8


def _spend() -> Panel:
    return figures(
        "Spend",
        "What was spent in the range, and in the stretch of the same length before it.",
        "spend_total",
        "currencyUSD",
        width=WIDTH,
    )


def _attempts() -> Panel:
    return figures(
        "Attempts per success",
        "HTTP attempts of the range for each task that succeeded, and for each call: retries show here.",
        "attempts_per_success",
        "none",
        decimals=2,
        width=WIDTH,
    )


def spend_by_model() -> Panel:
    """Draw the money of each model."""
    return chart(
        "Spend by model",
        "Money spent over time on each model; points count attempts that are not fully priced, on the right axis.",
        "spend_by_model",
        "currencyUSD",
        label="model",
        bars=True,
        not_priced="not_priced_over_time",
    )


def _unit_cost() -> Panel:
    return chart(
        "Unit cost",
        "Money for each success and each call, by the hour in which the tasks began; points count what it lacks.",
        "unit_cost",
        "currencyUSD",
        columns={"per success": Column(unit="currencyUSD")},
    )


MONEY = Row(
    "Money",
    (
        _spend(),
        cost_per_success(WIDTH),
        failure_spend(WIDTH),
        failure_rate(WIDTH),
        _attempts(),
        not_priced(WIDTH),
        spend_by_model(),
        _unit_cost(),
    ),
)
