"""Says what becomes of alerts from one evaluation to the next: pending, firing, calming, resolved.

An alert waits until it has been above its threshold for the rule's `pending_s`, then fires once. It ends when it has
been below `ends_below` for `keep_firing_s`; in between nothing is said, however often it crosses the line.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from farebox_ledger.alerts._measure import Measured
from farebox_ledger.alerts._rules import Rule

__all__ = ["FIRES", "Key", "Standing", "State", "advance"]

State = Literal["pending", "firing", "calming", "resolved", "dropped"]
Key = tuple[str, ...]
# In these an alert is one that fires, for whoever looks.
FIRES = ("firing", "calming")


@dataclass(frozen=True)
class Standing:
    """How one alert stands: since when it is above its threshold, and when it came into its present state.

    news: whether people are to be told of that.
    """

    measured: Measured
    state: State
    since: datetime
    at: datetime
    news: bool = False


def advance(rule: Rule, before: Mapping[Key, Standing], rows: Iterable[Measured], now: datetime) -> list[Standing]:
    """Give the alerts of one rule that change, as they stand from now on; `before` holds those that were not over.

    A row that was there and is no more counts as calm.
    """
    measured = {each.key: each for each in rows}
    changes = []
    for key, standing in before.items():
        changed = _next(rule, standing, measured.get(key), now)
        if changed is not None:
            changes.append(changed)
    for key, each in measured.items():
        if key not in before and each.value > rule.above:
            state: State = "pending" if rule.pending_s else "firing"
            changes.append(Standing(each, state, now, now, news=state == "firing"))
    return changes


def _next(rule: Rule, standing: Standing, found: Measured | None, now: datetime) -> Standing | None:
    if standing.state == "pending":
        if found is None or found.value <= rule.above:
            return replace(standing, state="dropped", at=now)
        ripe = now - standing.since >= timedelta(seconds=rule.pending_s)
        return replace(standing, measured=found, state="firing", at=now, news=True) if ripe else None
    # An alert that fires goes on until it is clearly calm; one that calms fires on as soon as it is back above.
    if found is not None and found.value > (rule.above if standing.state == "calming" else rule.ends_below):
        back = replace(standing, measured=found, state="firing", at=now, news=False)
        return back if standing.state == "calming" else None
    if standing.state == "firing" and rule.keep_firing_s:
        return replace(standing, state="calming", at=now, news=False)
    calm = standing.state == "firing" or now - standing.at >= timedelta(seconds=rule.keep_firing_s)
    return replace(standing, state="resolved", at=now, news=True) if calm else None
