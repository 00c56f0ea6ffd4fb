"""Cost spike: where an alert lands; what was spent above what is usual, why exactly, and who or what did it."""

from farebox_dashboards._dashboard import Dashboard
from farebox_dashboards.cost_spike.causes import CAUSES
from farebox_dashboards.cost_spike.spike import SPIKE
from farebox_dashboards.cost_spike.where import CALLS, WHERE
from farebox_dashboards.overview.exact import EXACT

__all__ = ["COST_SPIKE"]

COST_SPIKE = Dashboard(
    uid="farebox-cost-spike",
    title="farebox: Cost spike",
    description="What was spent above what is usual, why exactly, and whose calls did it",
    rows=(SPIKE, CAUSES, WHERE, CALLS, EXACT),
    since="now-6h",
)
