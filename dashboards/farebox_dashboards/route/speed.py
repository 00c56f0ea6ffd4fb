"""The row of latencies."""

from __future__ import annotations

from farebox_dashboards._panels import Panel, Row, chart

__all__ = ["SPEED"]


def _latency() -> Panel:
    return chart(
        "Latency",
        "Exact quantiles of attempts: to the first token, where the answer was streamed, and to the end.",
        "latency",
        "ms",
        width=24,
    )


SPEED = Row("Speed", (_latency(),))
