"""The row for whoever audits: figures to the last digit, and why some are missing."""

from __future__ import annotations

from farebox_dashboards._panels import WHOLE, Panel, Row, listing

__all__ = ["EXACT", "figures_exact", "reasons"]


def figures_exact() -> Panel:
    """List the range's money as exact decimals."""
    return listing(
        "Exact figures",
        "Money of the range as the ledger holds it, to the last digit, and how many attempts each figure lacks.",
        "exact_figures",
        "string",
        width=12,
    )


def reasons() -> Panel:
    """List why attempts are not priced."""
    return listing(
        "Why attempts are not fully priced",
        "Attempts of the range whose cost is not known, or only from below, by the reason the ledger gives.",
        "not_priced_reasons",
        WHOLE,
        width=12,
    )


EXACT = Row("Exact, and what is missing", (figures_exact(), reasons()))
