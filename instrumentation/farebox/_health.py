"""Tell the ledger what farebox lost in this process, so that it is seen beside the money.

A report is a `farebox.health` span with counts since the process began. It is made when more was lost than was told
before, with the next call that is recorded or at the process's end; where nothing is lost, nothing is said.
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

LOOK_EVERY_S = 10.0


class HealthReports:
    """Says when a report is due; used by the recorder's thread, and by the one that leaves when that is idle."""

    def __init__(self, read: Callable[[], Health]) -> None:
        self._read = read
        self._looked_at = time.monotonic()
        self._lost = 0

    def due(self, *, leaving: bool = False) -> dict[str, Any] | None:
        """Return the attributes of the report that is to be made now, None for none."""
        now = time.monotonic()
        if now - self._looked_at < LOOK_EVERY_S and not leaving:
            return None
        self._looked_at = now
        health = self._read()
        swallowed = sum(swallowed_errors().values())
        lost = health.dropped + health.spans_dropped + health.spans_refused + swallowed
        if lost == self._lost:
            return None
        self._lost = lost
        counts = {**dataclasses.asdict(health), "swallowed_errors": swallowed}
        return {
            semconv.INSTANCE: instance_id(),
            **{semconv.HEALTH_PREFIX + name: count for name, count in counts.items()},
        }
