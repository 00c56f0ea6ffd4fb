"""The row of single calls: the dearest, and those that failed last."""

from __future__ import annotations

from farebox_dashboards._dashboard import link_to
from farebox_dashboards._panels import COUNT, Column, Panel, Row, listing

__all__ = ["CALLS", "FAILING", "costliest"]


TRACE = Column(link=link_to("farebox-trace", "trace", "__value.raw"), width=285)


def costliest() -> Panel:
    """List the dearest calls of the range."""
    return listing(
        "Costliest calls",
        "The twenty dearest calls of the range, with all their attempts in it; a click on the trace shows its task.",
        "calls_costliest",
        "currencyUSD",
        columns={
            "began": Column(unit="dateTimeAsIso", width=170),
            "trace": TRACE,
            "attempts": COUNT,
            "input tokens": COUNT,
            "output tokens": COUNT,
        },
    )


def _failing() -> Panel:
    return listing(
        "Failing attempts",
        "The twenty latest attempts of the range that were no good, and how; a click on the trace shows its task.",
        "attempts_failing",
        "currencyUSD",
        columns={
            "began": Column(unit="dateTimeAsIso", width=170),
            "trace": TRACE,
            "status": Column(unit="none"),
        },
    )


FAILING = Row("Failing attempts", (_failing(),))
CALLS = Row("Calls", (costliest(), _failing()))
