"""The row that says why: the change split exactly, and what was changed by people at that time."""

from __future__ import annotations

from farebox_dashboards._panels import CHANGE, Column, Panel, Row, listing

__all__ = ["CAUSES"]


def _split() -> Panel:
    return listing(
        "Why spend changed",
        "The change against what is usual, split into parts that add up to it exactly; what has no price stands apart.",
        "spike_split",
        "currencyUSD",
        columns={
            "part": Column(width=180),
            "change": CHANGE,
            "share": Column(unit="percentunit", decimals=0, width=80),
        },
        width=24,
        height=10,
    )


def _changes() -> Panel:
    return listing(
        "What changed then",
        "Deployments, prices, new models and prompt versions in the range and the three hours before it, latest first.",
        "spike_changes",
        "string",
        columns={"at": Column(unit="dateTimeAsIso", width=160), "what": Column(width=160), "which": Column(width=320)},
        width=24,
        height=7,
    )


CAUSES = Row("Why", (_split(), _changes()))
