"""The row of those who send: clients that lost something, answers without usage, other instrumentations."""

from __future__ import annotations

from farebox_dashboards._panels import COUNT, SHARE, WHOLE, Column, Panel, Row, listing

__all__ = ["SOURCES"]


def _clients() -> Panel:
    return listing(
        "Clients",
        "What clients dropped and could not deliver by their own word, and which of their numbers never arrived.",
        "pipeline_clients",
        WHOLE,
        columns={
            "service": Column(width=150),
            "instance": Column(width=180),
            "lost on the way": COUNT,
            "last loss": Column(unit="dateTimeAsIso", width=160),
            "reported": Column(unit="dateTimeAsIso", width=160),
        },
    )


def _no_usage() -> Panel:
    return listing(
        "Answers without usage",
        "Attempts whose provider sent no usage, or that were cut before it came, by service and model.",
        "pipeline_no_usage",
        WHOLE,
        columns={
            "attempts": COUNT,
            "without usage": COUNT,
            "cut": COUNT,
            "share": SHARE,
        },
        width=14,
    )


def _foreign() -> Panel:
    return listing(
        "Other instrumentations",
        "Calls that others than farebox report: counted once, covered by a span of the same call, or undecided yet.",
        "pipeline_foreign",
        WHOLE,
        columns={"instrumentation": Column(width=260)},
        width=10,
    )


SOURCES = Row("Who sends", (_clients(), _no_usage(), _foreign()))
