"""Model against model, on the same route and in the same time."""

from __future__ import annotations

from farebox_dashboards._panels import COUNT, SHARE, Column, Panel, Row, listing

__all__ = ["MODELS"]

DURATION = Column(unit="ms", decimals=0)


def _compared() -> Panel:
    return listing(
        "Model against model",
        "What each model cost and how it went in the range, dearest first; rates with their 95 % interval.",
        "models",
        "currencyUSD",
        columns={
            "model": Column(width=200),
            "calls": COUNT,
            "attempts": COUNT,
            "spend": Column(unit="currencyUSD", gauge=True),
            "p50": DURATION,
            "p95": DURATION,
            "failure rate": SHARE,
            "at least": SHARE,
            "at most": SHARE,
            "cache hit rate": SHARE,
        },
    )


MODELS = Row("Models", (_compared(),))
