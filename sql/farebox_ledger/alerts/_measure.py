"""Asks a rule's question of a ledger, and says what it found in words."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from farebox_ledger.alerts._questions import alert_sql
from farebox_ledger.alerts._rules import Rule
from farebox_ledger.errors import QueryError, clickhouse_words

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

__all__ = ["LAG", "Measured", "firing", "measure"]

# Spans take a little to arrive: what is asked about ended this long ago.
LAG = timedelta(seconds=60)
SHOWN_BEFORE, SHOWN_AFTER = timedelta(hours=3), timedelta(minutes=15)


@dataclass(frozen=True)
class Measured:
    """One row of a rule's answer: what it is about, the number that decides, and numbers for the message."""

    rule: Rule
    labels: Mapping[str, str]
    value: float
    facts: Mapping[str, float]
    at: datetime

    @property
    def key(self) -> tuple[str, ...]:
        """What tells this alert from all others."""
        return (self.rule.name, *(self.labels[name] for name in self.rule.labels))

    @property
    def summary(self) -> str:
        """Say in one sentence what is wrong."""
        return self._say(self.rule.summary)

    @property
    def description(self) -> str:
        """Say more."""
        return self._say(self.rule.description)

    def link(self, base: str) -> str:
        """Lead to the dashboard that shows it, at that time, under the address of a Grafana."""
        chosen = "".join(
            f"&var-{name}={quote(self.labels[name], safe='')}" for name in ("route", "model") if name in self.labels
        )
        since, until = (round(each.timestamp() * 1000) for each in (self.at - SHOWN_BEFORE, self.at + SHOWN_AFTER))
        return f"{base.rstrip('/')}/d/{self.rule.leads_to}?from={since}&to={until}{chosen}"

    def _say(self, template: str) -> str:
        numbers = {name: _Number(number) for name, number in {**self.facts, "value": self.value}.items()}
        return template.format_map({**self.labels, **numbers})


class _Number(float):
    """A number that can also be written as a duration."""

    def __format__(self, spec: str) -> str:
        return _duration(self) if spec == "duration" else super().__format__(spec)


def measure(client: Client, rule: Rule, at: datetime) -> list[Measured]:
    """Ask about the time up to `at`; every row, whether above the threshold or not.

    Raises:
        QueryError: ClickHouse refused the question; its words are in the message.
    """
    from clickhouse_connect.driver.exceptions import ClickHouseError

    try:
        rows = client.query(alert_sql(rule.question), parameters={"until": at.astimezone(UTC)}).named_results()
        return [_measured(rule, row, at) for row in rows]
    except ClickHouseError as error:
        raise QueryError(f"the alert {rule.name} cannot be asked: {clickhouse_words(error)}") from error


def firing(client: Client, rule: Rule, at: datetime) -> list[tuple[Measured, bool]]:
    """Ask about the time up to `at`, and say of each row whether it fires: above the threshold for as long as it takes.

    Raises:
        QueryError: ClickHouse refused the question.
    """
    rows = measure(client, rule, at)
    above = {each.key for each in rows if each.value > rule.above}
    if above and rule.pending_s:
        earlier = measure(client, rule, at - timedelta(seconds=rule.pending_s))
        above &= {each.key for each in earlier if each.value > rule.above}
    return [(each, each.key in above) for each in rows]


def _measured(rule: Rule, row: Mapping[str, Any], at: datetime) -> Measured:
    return Measured(
        rule,
        {name: str(row[name]) for name in rule.labels},
        _number(row["value"]),
        {name: _number(row[name]) for name in rule.facts},
        at,
    )


def _number(value: Any) -> float:
    """Take a number as it came; what is not known or not a number is 0, which is above no threshold."""
    number = 0.0 if value is None else float(value)
    return number if math.isfinite(number) else 0.0


def _duration(seconds: float) -> str:
    minutes = round(seconds / 60)
    if minutes < 120:
        return f"{minutes} minutes"
    return f"{minutes // 60} hours"
