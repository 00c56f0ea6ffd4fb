"""Overview: what is spent today and this month, what failures take, and which route to look at."""

from farebox_dashboards._dashboard import Dashboard
from farebox_dashboards.overview.budgets import BUDGETS
from farebox_dashboards.overview.exact import EXACT
from farebox_dashboards.overview.now import NOW
from farebox_dashboards.overview.routes import ROUTES
from farebox_dashboards.overview.spend import SPEND

__all__ = ["OVERVIEW"]

OVERVIEW = Dashboard(
    uid="farebox-overview",
    title="farebox: Overview",
    description="What LLM calls cost, what failures take of it, and which route to look at",
    rows=(NOW, ROUTES, SPEND, BUDGETS, EXACT),
)
