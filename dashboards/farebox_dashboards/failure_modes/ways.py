"""The row that says in which ways answers fail: on which routes, since when, and of which models."""

from __future__ import annotations

from farebox_dashboards._dashboard import link_to
from farebox_dashboards._panels import COUNT, SHARE, WHOLE, Column, Panel, Row, chart, listing

__all__ = ["WAYS"]

HEAT = ((None, "text"), (0.01, "yellow"), (0.05, "orange"), (0.2, "red"))
CLASSES = (
    "not ok",
    "refusal",
    "clarification",
    "disclaimer",
    "malformed call",
    "call in text",
    "truncated",
    "empty",
    "loop",
    "unknown import",
    "unknown attribute",
    "unexpected argument",
    "broken limit",
    "unsupported citation",
    "wrong language",
)


def _matrix() -> Panel:
    cell = Column(
        unit="percentunit",
        decimals=1,
        steps=HEAT,
        settings={"custom.cellOptions": {"type": "color-text"}},
    )
    return listing(
        "Routes and failures",
        "Share of the answers checked for each failure that had it, by route; a dash where none was checked.",
        "failure_matrix",
        "percentunit",
        columns={
            "route": Column(link=link_to("farebox-route", "route", "__value.raw"), width=180),
            "attempts": Column(unit=WHOLE, decimals=0, width=90),
            **dict.fromkeys(CLASSES, cell),
        },
    )


def _over_time() -> Panel:
    return chart(
        "Failures over time",
        "Share of the answers checked for each failure that had it, over time; those that did not occur are left out.",
        "failures_over_time",
        "percentunit",
        label="failure",
        points=24,
        width=24,
    )


def _families() -> Panel:
    return listing(
        "Hedging against overconfidence",
        "Share of each model's answers that hedge, and that are surer than they may be, with 95 % intervals.",
        "failure_families",
        "percentunit",
        columns={
            "model": Column(width=170),
            "checked for hedging": COUNT,
            "checked for overconfidence": COUNT,
            "hedging": Column(unit="percentunit", decimals=1, gauge=True),
            "overconfidence": Column(unit="percentunit", decimals=1, gauge=True),
            **dict.fromkeys(
                ("hedging, at least", "hedging, at most", "overconfidence, at least", "overconfidence, at most"), SHARE
            ),
        },
        width=24,
        height=7,
    )


WAYS = Row("How answers fail", (_matrix(), _over_time(), _families()))
