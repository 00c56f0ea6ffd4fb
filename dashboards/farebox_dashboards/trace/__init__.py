"""Trace: one task's calls and attempts as they followed each other, with the money of each."""

from farebox_dashboards._dashboard import Dashboard
from farebox_dashboards.trace.steps import STEPS, TASK

__all__ = ["TRACE"]

TRACE = Dashboard(
    uid="farebox-trace",
    title="farebox: Trace",
    description="One task's calls and attempts as they followed each other, with the money of each",
    rows=(TASK, STEPS),
    texts={"trace": "Trace id or task"},
)
