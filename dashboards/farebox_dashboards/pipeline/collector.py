"""The row of farebox up: what it took, dropped as copies or turned away, and how far behind it is."""

from __future__ import annotations

from farebox_dashboards._panels import Column, Panel, Row, chart

__all__ = ["COLLECTOR"]


def _points(colour: str) -> Column:
    return Column(unit="short", decimals=0, right=True, colour=colour)


def _spans() -> Panel:
    return chart(
        "Spans taken",
        "Spans that farebox up received and stored over time; points count copies, refused and quarantined ones.",
        "pipeline_collector",
        "short",
        columns={"copies dropped": _points("purple"), "refused": _points("orange"), "in quarantine": _points("red")},
    )


def _waiting() -> Panel:
    return chart(
        "How far behind",
        "Time from acknowledged to stored, and how old the oldest in the journal was; points count what went wrong.",
        "pipeline_waiting",
        "s",
        columns={"failed inserts": _points("red"), "clients put off": _points("orange")},
    )


COLLECTOR = Row("farebox up", (_spans(), _waiting()))
