"""How often a model would fail on a route: measured there if it was asked there, else put together from elsewhere.

Put together: each detector's rate where the model was checked for it, weighed by how often this route's answers are;
the host's own failures where it served; and what the caller or the question does (leaving, timeouts, too low a
max_tokens) as it is on this route.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from farebox_ledger._comparison import Sample, wilson_interval
from farebox_ledger._whatif_tokens import Estimate
from farebox_ledger._whatif_traffic import Call

__all__ = ["CALLS_MIN", "Rates", "rates_on"]

CALLS_MIN = 30  # of a model, to speak of its rates
WEIGHT_MIN = Fraction(1, 20)  # a detector that applies to fewer answers is no reason to doubt
LENGTH_FLAG = "truncated.stop_reason"  # set by the request's own limit, so the route's and not the model's
ROUTE_MIN = 50


@dataclass(frozen=True)
class Rates:
    """What is expected of a model's calls on a route; shares of calls.

    fails: without a good answer. host: ended by the host's failure. attempts: HTTP attempts a call. thin: why not to
    rely on it, empty if there is no reason.
    """

    fails: Estimate
    host: Estimate
    attempts: float
    calls: int
    thin: Sequence[str]


def rates_on(route: Sequence[Call], target: Sequence[Call], provider: str, families: Collection[str]) -> Rates:
    """Tell how calls of a route would fail, from its own calls and those of the target model, wherever those were.

    provider: whose own failures to serve count. families: flags that make an answer a failure on this route.
    """
    name = route[0].first.route
    asked = [call for call in target if not call.escalation]
    here = [call for call in asked if call.first.route == name]
    at_host = [call for call in target if call.first.provider == provider]
    host = _host(at_host if len(at_host) >= CALLS_MIN else target)
    attempts = _attempts(target) or _attempts(route) or 1.0
    if len(here) >= CALLS_MIN:
        failed = Sample(sum(not _good(call, families) for call in here), len(here))
        low, high = wilson_interval(failed)
        hosts = "" if all(call.first.provider == provider for call in here) else ", at other providers too"
        basis = f"measured on this route: {failed.failed:,} of {failed.checked:,} calls{hosts}"
        return Rates(Estimate(failed.failed / failed.checked, low, high, basis), host, attempts, len(here), ())
    thin = []
    if len(target) < CALLS_MIN:
        thin.append(f"only {len(target):,} calls of the model are in the ledger (from {CALLS_MIN} on it is measured)")
    parts = [_ours(route), _length(route, target), host, *_detectors(route, target, families, thin)]
    fails = _together(parts)
    elsewhere = sorted({call.first.route for call in target})
    basis = (
        f"put together from {len(target):,} calls on {', '.join(elsewhere[:3])}{' …' if elsewhere[3:] else ''}"
        if target
        else "not measured at all"
    )
    return Rates(Estimate(*fails, basis), host, attempts, len(target), tuple(thin))


def _good(call: Call, families: Collection[str]) -> bool:
    """Tell whether a call has a good attempt by this route's own measure."""
    return any(
        each.outcome == "ok" and not any(flag.partition(".")[0] in families for flag in each.flags)
        for each in call.attempts
    )


def _attempts(calls: Sequence[Call]) -> float:
    return sum(len(call.attempts) for call in calls) / len(calls) if calls else 0.0


def _ours(route: Sequence[Call]) -> Estimate:
    """Share of calls that end by the caller's or the question's doing: as it is."""
    return _share(Sample(sum(call.ended == "ours" for call in route), len(route)))


def _host(target: Sequence[Call]) -> Estimate:
    return _share(Sample(sum(call.ended == "host" for call in target), len(target)))


def _length(route: Sequence[Call], target: Sequence[Call]) -> Estimate:
    """Share of answers that max_tokens cuts: this route's, with the target's own elsewhere as the range's other end."""
    own, other = (_flagged(calls, LENGTH_FLAG) for calls in (route, target))
    if not own.checked:
        return _share(other)
    estimate = _share(own)
    if other.checked < CALLS_MIN:
        return estimate
    rate = other.failed / other.checked
    return Estimate(estimate.value, min(estimate.low, rate), max(estimate.high, rate), "")


def _flagged(calls: Sequence[Call], flag: str) -> Sample:
    answers = [call.last for call in calls if call.last.outcome == "ok" and flag.partition(".")[0] in call.last.checked]
    return Sample(sum(flag in each.flags for each in answers), len(answers))


def _detectors(
    route: Sequence[Call], target: Sequence[Call], families: Collection[str], thin: list[str]
) -> list[Estimate]:
    """Estimate for each family of flags how often it would spoil an answer of this route."""
    answers = [call.last for call in route if call.last.outcome == "ok" and call.last.checked]
    found = []
    for family in sorted(families):
        applies = sum(family in each.checked for each in answers)
        if not applies:
            continue
        weight = Fraction(applies, len(answers))
        sample, by_route = _of_family(target, family)
        if sample.checked < CALLS_MIN and weight >= WEIGHT_MIN:
            thin.append(f"{sample.checked:,} answers of the model were checked for {family}")
        if not sample.checked:
            sample, by_route = _of_family(route, family)
        low, high = wilson_interval(sample)
        rate = sample.failed / sample.checked if sample.checked else 0.0
        # Where routes differ by more than chance, nobody knows which of them this one is like.
        apart = [each.failed / each.checked for each in by_route.values() if each.checked >= ROUTE_MIN]
        low, high = min([low, *apart]), max([high, *apart])
        found.append(Estimate(rate * float(weight), low * float(weight), high * float(weight), ""))
    return found


def _of_family(calls: Sequence[Call], family: str) -> tuple[Sample, Mapping[str, Sample]]:
    """Count answers that were checked for a family, and those that failed by it.

    Without those that `max_tokens` cut: what is broken in them is the question's doing, and counted by itself.
    """
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for call in calls:
        answer = call.last
        if answer.outcome == "ok" and family in answer.checked and LENGTH_FLAG not in answer.flags:
            failed = any(flag.partition(".")[0] == family for flag in answer.flags)
            counts[answer.route][0] += failed
            counts[answer.route][1] += 1
    by_route = {route: Sample(*each) for route, each in counts.items()}
    return Sample(
        sum(each.failed for each in by_route.values()), sum(each.checked for each in by_route.values())
    ), by_route


def _share(sample: Sample) -> Estimate:
    if not sample.checked:
        return Estimate(0.0, 0.0, 0.0, "")
    low, high = wilson_interval(sample)
    return Estimate(sample.failed / sample.checked, low, high, "")


def _together(parts: Sequence[Estimate]) -> tuple[float, float, float]:
    """Add chances up, each of what the others leave; the range by squaring and adding (Zou and Donner 2008)."""
    value = 1 - math.prod(1 - each.value for each in parts)
    below = math.sqrt(sum((each.value - each.low) ** 2 for each in parts))
    above = math.sqrt(sum((each.high - each.value) ** 2 for each in parts))
    return value, max(0.0, value - below), min(1.0, value + above)
