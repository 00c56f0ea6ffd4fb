"""Errors of the dashboards that a person reads.

FareboxError                exit code 2
└── DashboardError          a dashboard cannot be built, written or delivered
    ├── MacroError          a query holds a variable or macro that cannot be written out
    └── GrafanaError        Grafana cannot be reached, or refuses
"""

from __future__ import annotations

from farebox.errors import FareboxError

__all__ = ["DashboardError", "GrafanaError", "MacroError"]


class DashboardError(FareboxError):
    """A dashboard cannot be built, written or delivered."""


class MacroError(DashboardError):
    """A query holds a variable or macro that cannot be written out."""


class GrafanaError(DashboardError):
    """Grafana cannot be reached, or refuses what is asked; its words are in the message."""
