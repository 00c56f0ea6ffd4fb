"""The row of what arrived: how much, how late, how complete."""

from __future__ import annotations

from farebox_dashboards._panels import WHOLE, Column, Panel, Row, chart, figures
from farebox_dashboards.overview.now import age, not_priced

__all__ = ["ARRIVALS"]

BAD = Column(unit=WHOLE, decimals=0, steps=((None, "text"), (1, "red")))
NO_USAGE = Column(unit="short", decimals=0, right=True, colour="orange")
CUT = Column(unit="short", decimals=0, right=True, colour="purple")


def _now() -> Panel:
    return figures(
        "Arrived, and lost",
        "Attempts of the range, and what went wrong on the way; conflicting and moved copies are in no figure.",
        "pipeline_now",
        WHOLE,
        columns={
            "a minute": Column(unit=WHOLE, decimals=1),
            "lost": BAD,
            "conflicting": BAD,
            "impossible clock": BAD,
        },
        decimals=0,
        width=12,
    )


def _rate() -> Panel:
    return chart(
        "Attempts over time",
        "Attempts that the ledger holds over time; points count those without usage, and those that were cut.",
        "pipeline_rate",
        "short",
        columns={"without usage": NO_USAGE, "cut": CUT},
        bars=True,
    )


def _lag() -> Panel:
    return chart(
        "Lag",
        "Time from an attempt's end until the ledger had it; a client that could not reach it shows here afterwards.",
        "pipeline_lag",
        "s",
    )


ARRIVALS = Row("What arrives", (_now(), age(6), not_priced(6), _rate(), _lag()))
