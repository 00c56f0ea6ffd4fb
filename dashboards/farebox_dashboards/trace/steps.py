"""The rows of one task: what it cost in all, what became of it, and its steps."""

from __future__ import annotations

from farebox_dashboards._dashboard import link_to
from farebox_dashboards._panels import COUNT, Column, Panel, Row, figures, listing, note

__all__ = ["STEPS", "TASK"]

DURATION = Column(unit="ms", decimals=0)


def _total() -> Panel:
    return figures(
        "The task",
        "What the task cost in all its calls, what failed attempts took of it, and how long it ran.",
        "trace_total",
        "currencyUSD",
        columns={"calls": COUNT, "attempts": COUNT, "took": Column(unit="ms", decimals=1)},
        width=14,
        height=5,
    )


def _outcomes() -> Panel:
    return listing(
        "What became of it",
        "What the application reported of the task; without a report its last call tells whether it succeeded.",
        "trace_outcomes",
        "none",
        columns={"reported": Column(unit="dateTimeAsIso", width=160)},
        width=10,
        height=5,
    )


def _steps() -> Panel:
    return listing(
        "Steps",
        "Every attempt of the task in the order in which they began, where it lies in time, and what it cost.",
        "trace_steps",
        "currencyUSD",
        columns={
            "began": Column(unit="dateTimeAsIso", width=165),
            "call": Column(unit="none", width=60),
            "attempt": Column(width=80),
            "when": Column(width=340),
            "after": DURATION,
            "took": DURATION,
            "first token": DURATION,
            "route": Column(link=link_to("farebox-route", "route", "__value.raw"), width=120),
            "model": Column(width=150),
            "ended": Column(width=140),
            **dict.fromkeys(("input tokens", "read from cache", "output tokens"), COUNT),
            "spend": Column(unit="currencyUSD", gauge=True),
        },
        height=16,
    )


def _how() -> Panel:
    return note(
        "Type the id of a trace or the name of a task above. [Route](/d/farebox-route?${__url_time_range}) and "
        "[Cost spike](/d/farebox-cost-spike?${__url_time_range}) list the dearest calls: a click on a trace leads here."
    )


TASK = Row("The task", (_how(), _total(), _outcomes()))
STEPS = Row("Step by step", (_steps(),))
