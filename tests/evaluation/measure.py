"""Scores with their uncertainty: precision, recall, F1 and false-positive rate, each with a Wilson interval."""

from __future__ import annotations

import math
from dataclasses import dataclass

__all__ = ["Score", "wilson"]

Z = 1.96  # 95 %


def wilson(successes: int, trials: int) -> tuple[float, float]:
    """Return the 95 % interval of a proportion (Wilson 1927); all of 0 to 1 without trials."""
    if not trials:
        return 0.0, 1.0
    share, square = successes / trials, Z * Z
    middle = share + square / (2 * trials)
    reach = Z * math.sqrt(share * (1 - share) / trials + square / (4 * trials * trials))
    return max(0.0, (middle - reach) / (1 + square / trials)), min(1.0, (middle + reach) / (1 + square / trials))


@dataclass
class Score:
    """Counts of one detector on one set of labelled answers; an answer it did not apply to was not flagged."""

    hits: int = 0
    false_alarms: int = 0
    misses: int = 0
    passes: int = 0

    def add(self, *, expected: bool, flagged: bool) -> None:
        if expected:
            self.hits += flagged
            self.misses += not flagged
        else:
            self.false_alarms += flagged
            self.passes += not flagged

    @property
    def cases(self) -> int:
        return self.hits + self.false_alarms + self.misses + self.passes

    @property
    def precision(self) -> float:
        return _share(self.hits, self.hits + self.false_alarms)

    @property
    def recall(self) -> float:
        return _share(self.hits, self.hits + self.misses)

    @property
    def f1(self) -> float:
        return _share(2 * self.hits, 2 * self.hits + self.false_alarms + self.misses)

    @property
    def fpr(self) -> float:
        return _share(self.false_alarms, self.false_alarms + self.passes)

    def interval(self, measure: str) -> tuple[float, float] | None:
        """Return the 95 % interval of a measure; None where it is no proportion (F1) or nothing was measured."""
        hits, alarms = self.hits, self.false_alarms
        trials = {"precision": hits + alarms, "recall": hits + self.misses, "fpr": alarms + self.passes}.get(measure, 0)
        return wilson(alarms if measure == "fpr" else hits, trials) if trials else None


def _share(part: int, whole: int) -> float:
    return part / whole if whole else math.nan
