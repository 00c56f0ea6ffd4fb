"""The ledger's alert rules as Grafana gets them: which panel shows each, and the file."""

from __future__ import annotations

from collections.abc import Iterable

from farebox_dashboards._alerts import Placed, provisioning
from farebox_dashboards._dashboard import Dashboard
from farebox_dashboards.cost_spike import COST_SPIKE
from farebox_dashboards.models_and_prices import MODELS_AND_PRICES
from farebox_dashboards.overview import OVERVIEW
from farebox_dashboards.pipeline import PIPELINE
from farebox_dashboards.route import ROUTE
from farebox_ledger.alerts import RULES, Rule

__all__ = ["ALERTS", "PLACED", "placed"]

PANELS: dict[str, tuple[Dashboard, str]] = {
    "spend-spike": (COST_SPIKE, "Actual against expected"),
    "spend-spike-hourly": (COST_SPIKE, "Actual against expected"),
    "budget-burn-fast": (OVERVIEW, "Budgets"),
    "budget-burn-slow": (OVERVIEW, "Budgets"),
    "budget-burn-long": (OVERVIEW, "Budgets"),
    "budget-spent": (OVERVIEW, "Budgets"),
    "failure-rate": (ROUTE, "Failures by class, and their money"),
    "malformed-rate": (ROUTE, "Malformed tool calls"),
    "cost-per-success": (ROUTE, "Unit cost"),
    "cache-collapse": (ROUTE, "Cache hit rate"),
    "not-priced": (MODELS_AND_PRICES, "Unpriced and ambiguous models"),
    "bill-differs": (PIPELINE, "Bills against the ledger"),
    "new-name": (OVERVIEW, "Spend by route"),
    "ledger-silent": (OVERVIEW, "Age of data"),
}


def placed(rules: Iterable[Rule]) -> list[Placed]:
    """Put beside each rule the dashboard and the panel that show it."""
    return [(rule, *PANELS[rule.name]) for rule in rules]


PLACED = placed(RULES)

ALERTS = provisioning(PLACED)
