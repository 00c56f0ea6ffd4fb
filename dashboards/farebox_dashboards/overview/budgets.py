"""The row of budgets: how much of each is burnt, and what it will come to."""

from __future__ import annotations

from farebox_dashboards._panels import Column, Panel, Row, listing

__all__ = ["BUDGETS"]

# Shares of a budget: from four fifths on it is worth a look, above the whole it is spent.
BURN_STEPS = ((None, "green"), (0.8, "orange"), (1, "red"))
BURN = Column(
    unit="percentunit",
    decimals=0,
    steps=BURN_STEPS,
    settings={"custom.cellOptions": {"mode": "basic", "type": "gauge"}, "min": 0, "max": 1},
)
FORECAST = Column(
    unit="percentunit",
    decimals=0,
    steps=BURN_STEPS,
    settings={"custom.cellOptions": {"type": "color-text"}},
)


def _budgets() -> Panel:
    return listing(
        "Budgets",
        "How much of each budget is burnt in its period, and what it comes to if spending goes on as lately.",
        "budgets",
        "currencyUSD",
        columns={
            "budget": Column(width=160),
            "period": Column(width=80),
            "burnt": BURN,
            "forecast, share": FORECAST,
            "until": Column(unit="dateTimeAsIso", width=160),
        },
        height=7,
    )


BUDGETS = Row("Budgets", (_budgets(),))
