"""What an alert rule is: what is asked, above which number, for how long, and what is said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

__all__ = ["COST_SPIKE", "FAST_S", "OVERVIEW", "ROUTE", "SLOW_S", "Rule", "Severity"]

# Where messages lead, by the uids of dashboards.
COST_SPIKE, OVERVIEW, ROUTE = "farebox-cost-spike", "farebox-overview", "farebox-route"
# How often rules are asked: those that must be quick, and those that may take their time.
FAST_S, SLOW_S = 60, 600


Severity = Literal["page", "ticket"]


@dataclass(frozen=True)
class Rule:
    """One rule; each row of its answer is an alert of its own, known by the row's texts.

    means: when it fires, for people. question: a file of `queries/alerts`; its column `value` is held against `above`,
    and an alert that fires ends below `until_below`, by default `above`. labels: its text columns. facts: its other
    numbers, for the message. summary and description may name labels, `value` and facts as in str.format:
    `{route} spent ${spent:.2f}`; the format `duration` writes seconds for people. leads_to: a dashboard's uid; its
    variables of the labels' names are set.
    """

    name: str
    title: str
    means: str
    question: str
    labels: Sequence[str]
    above: float
    summary: str
    description: str
    facts: Sequence[str] = ()
    until_below: float | None = None
    pending_s: int = 0
    keep_firing_s: int = 0
    every_s: int = FAST_S
    severity: Severity = "ticket"
    leads_to: str = OVERVIEW
    on: bool = True
    # What it means if nothing is answered, or the question cannot be asked.
    silence_is_trouble: bool = False

    @property
    def ends_below(self) -> float:
        """The number under which an alert that fires ends."""
        return self.above if self.until_below is None else self.until_below
