"""Counts what the collector did since it started; one lock, so any thread may count."""

from __future__ import annotations

import threading
from collections import Counter

__all__ = ["Counts"]


class Counts:
    """Named totals since start, each at or above zero."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._totals: Counter[str] = Counter()

    def add(self, name: str, number: int = 1) -> None:
        """Add to a total; adding zero makes it show."""
        with self._lock:
            self._totals[name] += number

    def all(self) -> dict[str, int]:
        """Copy all totals, sorted by name."""
        with self._lock:
            return dict(sorted(self._totals.items()))
