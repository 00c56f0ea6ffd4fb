"""The row that says how answers failed and what those cost."""

from __future__ import annotations

from farebox_dashboards._panels import Column, Panel, Row, chart, listing

__all__ = ["FAILURES"]

SHARE = Column(unit="percentunit", decimals=1)
COUNT = Column(unit="short", decimals=0)
BASELINE = Column(
    settings={
        "color": {"fixedColor": "text", "mode": "fixed"},
        "custom.lineStyle": {"dash": [10, 10], "fill": "dash"},
    }
)


def _by_class() -> Panel:
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
        width=14,
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


FAILURES = Row("Failures", (_by_class(), _malformed()))
