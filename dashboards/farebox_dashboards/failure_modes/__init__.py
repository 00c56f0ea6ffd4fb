"""Failure modes: how answers fail, where, at what prompts, whether a retry mends it, and what it costs."""

from farebox_dashboards._dashboard import Dashboard
from farebox_dashboards.failure_modes.by import BY
from farebox_dashboards.failure_modes.money import MONEY
from farebox_dashboards.failure_modes.ways import WAYS
from farebox_dashboards.overview.exact import EXACT
from farebox_dashboards.route.calls import FAILING

__all__ = ["FAILURE_MODES"]

FAILURE_MODES = Dashboard(
    uid="farebox-failure-modes",
    title="farebox: Failure modes",
    description="How answers fail, where, at which prompts, whether a retry mends it, and what it costs",
    rows=(WAYS, MONEY, BY, FAILING, EXACT),
)
