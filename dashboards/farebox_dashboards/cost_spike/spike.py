"""The row that says whether there is a spike: what was spent against what is usual."""

from __future__ import annotations

from farebox_dashboards._panels import Column, Panel, Row, chart, figures
from farebox_dashboards.overview.now import failure_rate, not_priced

__all__ = ["SPIKE"]

FAINT = Column(
    settings={
        "color": {"fixedColor": "text", "mode": "fixed"},
        "custom.fillOpacity": 0,
        "custom.lineStyle": {"dash": [2, 6], "fill": "dash"},
    }
)
EXPECTED = Column(
    settings={
        "color": {"fixedColor": "text", "mode": "fixed"},
        "custom.fillOpacity": 0,
        "custom.lineStyle": {"dash": [10, 10], "fill": "dash"},
    }
)


def _total() -> Panel:
    return figures(
        "Spend against usual",
        "What was spent in the range, and in the same hours of the seven days before on average.",
        "spike_total",
        "currencyUSD",
        width=12,
    )


def _band() -> Panel:
    return chart(
        "Actual against expected",
        "Money spent over time, what the seven days before let expect, and the band of what is not unusual.",
        "spike_band",
        "currencyUSD",
        columns={"expected": EXPECTED, "at least": FAINT, "at most": FAINT},
        width=24,
        height=9,
    )


SPIKE = Row("Is there a spike", (_total(), failure_rate(6), not_priced(6), _band()))
