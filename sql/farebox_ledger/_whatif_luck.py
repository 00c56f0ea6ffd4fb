"""Says how far a what-if may be off by luck alone: which calls are lost, are asked again, or miss the cache next time.

A few prompts may hold most of the tokens, and whether just these are lost decides; so chances are counted by how many
prompts really matter, and what was not seen of them may happen yet.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from farebox_ledger._whatif_traffic import Call

__all__ = ["Luck", "luck_of", "retried"]

CALLS_MIN = 30


@dataclass(frozen=True)
class Luck:
    """Variances of what may happen to a call: its usage is lost, it meets its own prompt, it misses the cache."""

    lost: float
    again: float
    missed: float

    def of_cost(self, costs: Sequence[float], saved: Sequence[float]) -> float:
        """Give one standard deviation of what calls cost; those that meet their own prompt cost so much less."""
        # Of now and of then.
        return math.sqrt(2 * self.lost * _squares(costs) + self.again * _squares(saved))

    def of_reads(self, reads: Sequence[float], prompts: Sequence[float]) -> float:
        """Give one standard deviation of the tokens read from the cache, of prompts of so many."""
        return math.sqrt(self.missed * _squares(reads) + self.again * _squares(prompts))


def luck_of(calls: Sequence[Call], *, automatic: bool) -> Luck:
    """Judge the luck of calls by what happened to them; of caches that are marked none is met by who asks again."""
    weights = [float(call.first.size) for call in calls]
    if not any(weights):
        weights = [1.0] * len(calls)
    return Luck(
        lost=_variance(weights, [call.reported is None for call in calls]),
        again=_variance(weights, [_asked_again(call) for call in calls]) if automatic else 0.0,
        missed=_variance(weights, [False] * len(calls)),
    )


def retried(there: Sequence[Call], moved: Sequence[Call]) -> float:
    """Tell what share of calls repeats what an attempt before brought into the cache: at the target, else now."""
    calls = there if len(there) >= CALLS_MIN else moved
    return sum(map(_asked_again, calls)) / len(calls)


def _asked_again(call: Call) -> bool:
    return any(each.reached and each is not call.reported for each in call.attempts)


def _variance(weights: Sequence[float], happened: Sequence[bool]) -> float:
    """Give the variance of whether something happens to a call, by Laplace's rule of succession."""
    squares = _squares(weights)
    matter = squares * squares / sum(weight**4 for weight in weights)
    seen = matter * sum(weight * weight for weight, did in zip(weights, happened, strict=True) if did) / squares
    share = (seen + 1) / (matter + 2)
    return share * (1 - share)


def _squares(values: Sequence[float]) -> float:
    return sum(value * value for value in values)
