"""Pipeline: whether everything that was called arrives, how late, and what is lost or lacking on the way."""

from farebox_dashboards._dashboard import Dashboard
from farebox_dashboards.pipeline.arrivals import ARRIVALS
from farebox_dashboards.pipeline.bills import BILLS
from farebox_dashboards.pipeline.collector import COLLECTOR
from farebox_dashboards.pipeline.sources import SOURCES

__all__ = ["PIPELINE"]

PIPELINE = Dashboard(
    uid="farebox-pipeline",
    title="farebox: Pipeline",
    description="Whether everything that was called arrives, how late, and what is lost or lacking on the way",
    rows=(ARRIVALS, SOURCES, COLLECTOR, BILLS),
)
