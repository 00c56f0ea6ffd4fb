"""Counts what the collector did since it started; one lock, so any thread may count."""

from __future__ import annotations

import random
import threading
from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass, field

__all__ = ["BUCKETS_MS", "Counts", "Durations", "Recent"]

BUCKETS_MS = (1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0, 2000.0, 5000.0, 10_000.0)
SAMPLE_MAX = 4096
RECENT_MAX = 200_000


@dataclass
class Durations:
    """How long something took, in milliseconds: how often up to each bound since the start, and a sample of late."""

    buckets: list[int] = field(default_factory=lambda: [0] * (len(BUCKETS_MS) + 1))
    sum_ms: float = 0.0
    sample: list[float] = field(default_factory=list)
    sampled: int = 0


class Counts:
    """Named totals since start, each at or above zero; largest values and durations beside them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._totals: Counter[str] = Counter()
        self._tops: dict[str, float] = {}
        self._durations: dict[str, Durations] = {}

    def add(self, name: str, number: int = 1) -> None:
        """Add to a total; adding zero makes it show."""
        with self._lock:
            self._totals[name] += number

    def top(self, name: str, value: float) -> None:
        """Note a measure of which the largest since the last `take_tops` is of interest."""
        with self._lock:
            self._tops[name] = max(value, self._tops.get(name, value))

    def took(self, name: str, milliseconds: float) -> None:
        """Note how long something took."""
        with self._lock:
            each = self._durations.setdefault(name, Durations())
            each.buckets[bisect_left(BUCKETS_MS, milliseconds)] += 1
            each.sum_ms += milliseconds
            each.sampled += 1
            if len(each.sample) < SAMPLE_MAX:
                each.sample.append(milliseconds)
            elif (place := random.randrange(each.sampled)) < SAMPLE_MAX:  # noqa: S311 -- a sample, no secret
                each.sample[place] = milliseconds

    def take_tops(self) -> dict[str, float]:
        """Return the largest of each measure, and `<name>_p99` of each duration, since the last time; begin anew."""
        with self._lock:
            tops, self._tops = self._tops, {}
            for name, each in self._durations.items():
                if each.sample:
                    each.sample.sort()
                    tops[f"{name}_p99"] = each.sample[min(int(len(each.sample) * 0.99), len(each.sample) - 1)]
                each.sample, each.sampled = [], 0
        return tops

    def all(self) -> dict[str, int]:
        """Copy all totals, sorted by name."""
        with self._lock:
            return dict(sorted(self._totals.items()))

    def durations(self) -> dict[str, tuple[list[int], float]]:
        """Copy how often each duration fell up to each of BUCKETS_MS, and beyond, and the sum in milliseconds."""
        with self._lock:
            return {name: (list(each.buckets), each.sum_ms) for name, each in self._durations.items()}


class Recent:
    """Remembers the last hashes it was shown, some hundred thousand of them, to tell what comes again."""

    def __init__(self) -> None:
        self._older: set[int] = set()
        self._newer: set[int] = set()

    def count(self, hashes: list[int]) -> int:
        """Remember hashes and return how many of them had come before."""
        before = 0
        for each in hashes:
            if each in self._newer or each in self._older:
                before += 1
            self._newer.add(each)
        if len(self._newer) >= RECENT_MAX // 2:
            self._older, self._newer = self._newer, set()
        return before
