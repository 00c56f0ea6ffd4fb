"""Says whether two failure rates differ by more than chance, or that there is too little data to tell."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal

__all__ = ["Comparison", "Sample", "compare", "newcombe_interval", "two_sided_fisher", "wilson_interval"]

CONFIDENCE = 0.95
POWER = 0.8
Z = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)
Z_POWER = NormalDist().inv_cdf(POWER)
# Below so many expected in any cell the normal approximation does not hold (Cochran 1954).
EXPECTED_MIN = 5
# Fisher's test sums that many terms at most; beyond, none is worth telling from zero.
RELATIVE_ERROR = 1e-7


@dataclass(frozen=True)
class Sample:
    """Failures among what was checked."""

    failed: int
    checked: int

    @property
    def rate(self) -> float | None:
        """Share of failures, None if nothing was checked."""
        return self.failed / self.checked if self.checked else None


@dataclass(frozen=True)
class Comparison:
    """Whether sample `a` fails at another rate than `b`.

    difference, low, high: a's rate minus b's with its 95 % interval (Newcombe), None if either was never checked.
    p_value: chance of a difference this large if there were none, by `test`. enough: how many each must have for a
    doubled rate to be seen four times in five; None if that cannot be said, because nothing ever failed.
    """

    a: Sample
    b: Sample
    verdict: Literal["different", "no difference seen", "too little data"]
    difference: float | None
    low: float | None
    high: float | None
    p_value: float | None
    test: Literal["two proportions", "Fisher's exact"] | None
    enough: int | None


def compare(a: Sample, b: Sample) -> Comparison:
    """Compare two rates; answers are taken as independent of one another.

    Verdict: `different` if the test's p is below 0.05 and the interval leaves 0 out. `no difference seen` only if
    neither is so, and both samples are large enough for a doubled rate to show. `too little data` else.
    """
    if a.rate is None or b.rate is None:
        return Comparison(a, b, "too little data", None, None, None, None, None, _enough(a, b))
    low, high = newcombe_interval(a, b)
    failed, checked = a.failed + b.failed, a.checked + b.checked
    expected_min = min(failed, checked - failed) * min(a.checked, b.checked) / checked
    if expected_min >= EXPECTED_MIN:
        test: Literal["two proportions", "Fisher's exact"] = "two proportions"
        p_value = _two_proportions(a, b)
    else:
        test, p_value = "Fisher's exact", two_sided_fisher(a, b)
    enough = _enough(a, b)
    unlikely, apart = p_value < 1 - CONFIDENCE, not low <= 0 <= high
    if unlikely and apart:
        verdict: Literal["different", "no difference seen", "too little data"] = "different"
    elif not unlikely and not apart and enough is not None and min(a.checked, b.checked) >= enough:
        verdict = "no difference seen"
    else:
        verdict = "too little data"
    return Comparison(a, b, verdict, a.rate - b.rate, low, high, p_value, test, enough)


def wilson_interval(sample: Sample) -> tuple[float, float]:
    """Return the 95 % interval of a rate (Wilson 1927)."""
    failed, checked, square = sample.failed, sample.checked, Z * Z
    reach = Z * math.sqrt(failed * (checked - failed) / checked + square / 4)
    low = 0.0 if failed == 0 else (failed + square / 2 - reach) / (checked + square)
    high = 1.0 if failed == checked else (failed + square / 2 + reach) / (checked + square)
    return low, high


def newcombe_interval(a: Sample, b: Sample) -> tuple[float, float]:
    """Return the 95 % interval of a's rate minus b's (Newcombe 1998, method 10: from the two Wilson intervals)."""
    rate_a, rate_b = a.failed / a.checked, b.failed / b.checked
    (low_a, high_a), (low_b, high_b) = wilson_interval(a), wilson_interval(b)
    difference = rate_a - rate_b
    return (
        difference - math.hypot(rate_a - low_a, high_b - rate_b),
        difference + math.hypot(high_a - rate_a, rate_b - low_b),
    )


def two_sided_fisher(a: Sample, b: Sample) -> float:
    """Return the two-sided p of Fisher's exact test: the chance of all tables no more likely than this one."""
    failed, checked = a.failed + b.failed, a.checked + b.checked
    fewest, most = max(0, failed - b.checked), min(failed, a.checked)
    whole = _log_choose(checked, failed)

    def chance(failed_a: int) -> float:
        return math.exp(_log_choose(a.checked, failed_a) + _log_choose(b.checked, failed - failed_a) - whole)

    bar = chance(a.failed) * (1 + RELATIVE_ERROR)
    return min(1.0, math.fsum(each for number in range(fewest, most + 1) if (each := chance(number)) <= bar))


def _two_proportions(a: Sample, b: Sample) -> float:
    """Return the two-sided p of the pooled z test."""
    pooled = (a.failed + b.failed) / (a.checked + b.checked)
    error = math.sqrt(pooled * (1 - pooled) * (1 / a.checked + 1 / b.checked))
    return math.erfc(abs(a.failed / a.checked - b.failed / b.checked) / error / math.sqrt(2))


def _enough(a: Sample, b: Sample) -> int | None:
    """Return how large each sample must be for a doubling of their common rate to be seen with POWER."""
    failed, checked = a.failed + b.failed, a.checked + b.checked
    if not failed or not checked:
        return None
    rate = min(failed / checked, 0.5)
    doubled = min(2 * rate, 1.0)
    spread = rate * (1 - rate) + doubled * (1 - doubled)
    return math.ceil((Z + Z_POWER) ** 2 * spread / (doubled - rate) ** 2)


def _log_choose(whole: int, part: int) -> float:
    return math.lgamma(whole + 1) - math.lgamma(part + 1) - math.lgamma(whole - part + 1)
