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
        self._tops: dict[str, float] = {}

    def add(self, name: str, number: int = 1) -> None:
        """Add to a total; adding zero makes it show."""
        with self._lock:
            self._totals[name] += number

    def top(self, name: str, value: float) -> None:
        """Note a measure of which the largest since the last `take_tops` is of interest."""
        with self._lock:
            self._tops[name] = max(value, self._tops.get(name, value))

    def take_tops(self) -> dict[str, float]:
        """Return the largest of each measure and begin anew."""
        with self._lock:
            tops, self._tops = self._tops, {}
        return tops

    def all(self) -> dict[str, int]:
        """Copy all totals, sorted by name."""
        with self._lock:
            return dict(sorted(self._totals.items()))
