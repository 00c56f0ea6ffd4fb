"""The row that says how answers failed and what those cost."""

from __future__ import annotations

from farebox_dashboards._panels import COUNT, SHARE, Column, Panel, Row, chart, listing

__all__ = ["FAILURES", "failures_by_class"]

BASELINE = Column(
    settings={
        "color": {"fixedColor": "text", "mode": "fixed"},
        "custom.lineStyle": {"dash": [10, 10], "fill": "dash"},
    }
)


def failures_by_class(width: int) -> Panel:
    """List how often each failure came up, and what it cost."""
    return listing(
        "Failures by class, and their money",
        "How often each failure came up over what was checked, and what those answers cost; one may stand in two rows.",
        "failures_by_class",
        "currencyUSD",
        columns={
            "class": Column(width=180),
            "failed": COUNT,
            "checked": COUNT,
            "rate": SHARE,
            "at least": SHARE,
            "at most": SHARE,
        },
        width=width,
    )


def _malformed() -> Panel:
    return chart(
        "Malformed tool calls",
        "Share of the checked tool calls that were malformed, against the seven days before the range.",
        "malformed_rate",
        "percentunit",
        columns={"baseline": BASELINE},
        width=10,
        height=9,
    )


FAILURES = Row("Failures", (failures_by_class(14), _malformed()))
