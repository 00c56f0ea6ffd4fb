"""Route: what one route costs and why, how it fails, and whether another model would do."""

from farebox_dashboards._dashboard import Dashboard
from farebox_dashboards.overview.exact import EXACT
from farebox_dashboards.route.calls import CALLS
from farebox_dashboards.route.failures import FAILURES
from farebox_dashboards.route.models import MODELS
from farebox_dashboards.route.money import MONEY
from farebox_dashboards.route.speed import SPEED
from farebox_dashboards.route.tokens import TOKENS

__all__ = ["ROUTE"]

ROUTE = Dashboard(
    uid="farebox-route",
    title="farebox: Route",
    description="What one route costs and why, how it fails, and how its models compare",
    rows=(MONEY, MODELS, TOKENS, FAILURES, SPEED, CALLS, EXACT),
)
