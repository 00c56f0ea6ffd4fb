"""Grafana dashboards over the ledger, in Python: built to JSON, provisioned from files or pushed."""

from farebox_dashboards._dashboard import Dashboard
from farebox_dashboards.cost_spike import COST_SPIKE
from farebox_dashboards.errors import DashboardError, GrafanaError, MacroError
from farebox_dashboards.failure_modes import FAILURE_MODES
from farebox_dashboards.models_and_prices import MODELS_AND_PRICES
from farebox_dashboards.overview import OVERVIEW
from farebox_dashboards.pipeline import PIPELINE
from farebox_dashboards.route import ROUTE
from farebox_dashboards.trace import TRACE

__all__ = ["DASHBOARDS", "Dashboard", "DashboardError", "GrafanaError", "MacroError"]

DASHBOARDS = (OVERVIEW, ROUTE, COST_SPIKE, FAILURE_MODES, MODELS_AND_PRICES, PIPELINE, TRACE)
