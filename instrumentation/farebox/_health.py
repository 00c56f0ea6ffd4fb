"""Tell the ledger how farebox fares in this process, so that what was lost is seen beside the money.

A report is a `farebox.health` span with counts since the process began: one a minute while calls are recorded, and
sooner, and at the end, where anything was lost.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from typing import Any

from farebox import semconv
from farebox._guard import swallowed_errors
from farebox._identity import instance_id
from farebox._metrics import Health

__all__ = ["HealthReports"]

EVERY_S = 60.0
AFTER_A_LOSS_S = 10.0


class HealthReports:
    """Says when a report is due; used by the recorder's thread, and by the one that leaves when that is idle."""

    def __init__(self, read: Callable[[], Health]) -> None:
        self._read = read
        self._looked_at = self._reported_at = time.monotonic()
        self._lost = 0

    def due(self, *, leaving: bool = False) -> dict[str, Any] | None:
        """Return the attributes of the report that is to be made now, None for none."""
        now = time.monotonic()
        if now - self._looked_at < AFTER_A_LOSS_S and not leaving:
            return None
        self._looked_at = now
        health = self._read()
        swallowed = sum(swallowed_errors().values())
        lost = health.dropped + health.spans_dropped + health.spans_refused + swallowed
        if lost == self._lost and (leaving or now - self._reported_at < EVERY_S):
            return None
        self._lost, self._reported_at = lost, now
        counts = {**dataclasses.asdict(health), "swallowed_errors": swallowed}
        return {
            semconv.INSTANCE: instance_id(),
            **{semconv.HEALTH_PREFIX + name: count for name, count in counts.items()},
        }
