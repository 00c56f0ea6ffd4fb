"""Keeps in the ledger how alerts stand, so that a restart neither forgets one nor tells it twice."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from farebox_ledger.alerts._measure import Measured
from farebox_ledger.alerts._rules import Rule
from farebox_ledger.alerts._states import Standing

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

__all__ = ["keep", "standing", "untold"]

COLUMNS = ("at", "rule", "labels", "state", "since", "value", "facts", "severity", "summary", "told")
# Who was not told by then is not told any more.
TELL_WITHIN = timedelta(days=1)

_LATEST = """
SELECT rule, labels, argMax((at, state, since, value, facts), (at, stored_at)) AS latest
FROM alert_states
GROUP BY rule, labels
HAVING latest.2 IN ('pending', 'firing', 'calming')
"""
_UNTOLD = """
SELECT rule, labels, (at, state, since, value, facts) AS latest
FROM alert_states FINAL
WHERE NOT told AND at >= {since:DateTime64(3, 'UTC')}
ORDER BY at
"""


def standing(client: Client, rules: Mapping[str, Rule]) -> list[Standing]:
    """Read the alerts that are not over; those of rules that there are no more are left out."""
    return _read(client.query(_LATEST).result_rows, rules)


def untold(client: Client, rules: Mapping[str, Rule], now: datetime) -> list[Standing]:
    """Read what nobody was told yet, oldest first, of the last day."""
    found = _read(client.query(_UNTOLD, parameters={"since": now - TELL_WITHIN}).result_rows, rules)
    return [replace(each, news=True) for each in found]


def keep(client: Client, changes: Iterable[Standing], *, told: bool) -> None:
    """Store changes; the same ones again, to say that they were told."""
    rows = [_row(each, told=told or not each.news) for each in changes]
    if rows:
        client.insert("alert_states", rows, column_names=COLUMNS)


def _row(each: Standing, *, told: bool) -> list[Any]:
    found = each.measured
    return [
        each.at,
        found.rule.name,
        dict(found.labels),
        each.state,
        each.since,
        found.value,
        dict(found.facts),
        found.rule.severity,
        found.summary,
        told,
    ]


def _read(rows: Iterable[Any], rules: Mapping[str, Rule]) -> list[Standing]:
    found = []
    for name, labels, (at, state, since, value, facts) in rows:
        rule = rules.get(name)
        if rule is not None and set(rule.labels) == set(labels):
            # A newer farebox may say more of an alert than the one that stored it.
            known = {fact: facts.get(fact, 0.0) for fact in rule.facts}
            measured = Measured(rule, labels, value, known, _utc(at))
            found.append(Standing(measured, state, _utc(since), _utc(at)))
    return found


def _utc(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
