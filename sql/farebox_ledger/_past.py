"""Asks the report's questions of the ledger as it was: what had been stored by a moment, at the figures that held then.

Rollups know the present alone. So what they are counted with, views whose text the store itself gives, is counted over
`llm_attempts_as_of` instead, attempt by attempt: right, and slower. Whether an answer was good, and what a minute of a
person's work costs, is judged by today's settings of routes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from farebox_ledger._period import Period
from farebox_ledger._query import Ask, run_sql
from farebox_ledger._query import query_text as text_of
from farebox_ledger.errors import LedgerError

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

__all__ = ["asking_the_past"]

AS_OF = "llm_attempts_as_of(moment = {as_of:DateTime64(6, 'UTC')})"
SOURCES = re.compile(r"\bFROM (?:`?\w+`?\.)?(llm_attempts|stored_attempts FINAL|calls|task_outcomes)\b( AS \w+)?")
BETWEEN = re.compile(r"\b(attempts_between|tasks_between)\([^()]*(?:\([^()]*\)[^()]*)*\)")
IN_PERIOD = "started_at >= {since:DateTime64(6, 'UTC')} AND started_at < {until:DateTime64(6, 'UTC')}"


def asking_the_past(client: Client, moment: datetime, period: Period) -> Ask:
    """Give what asks the questions of `queries/` as `run_query` does, of the ledger as it was at a moment.

    Raises:
        LedgerError: the views are not those of this farebox.
    """
    hours = [
        hour
        for (hour,) in client.query(
            f"SELECT DISTINCT toStartOfHour(started_at) FROM stored_attempts WHERE {IN_PERIOD}",  # noqa: S608
            {"since": period.since, "until": period.until},
        ).result_rows
    ]
    attempts = _over_the_past(_text_of_view(client, "attempt_sums"), {})
    calls = _over_the_past(_text_of_view(client, "calls"), {})
    tasks = _over_the_past(_text_of_view(client, "tasks"), {"calls": f"({calls})"})
    counted = {"attempts_between": f"({attempts})", "tasks_between": f"({_begun(calls, tasks)})"}
    of_the_past = {"as_of": moment, "hours": hours, "levels": [0], "step_s": 3600}

    def ask(client: Client, name: str, parameters: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
        sql = BETWEEN.sub(lambda found: counted[found[1]], _over_the_past(text_of(name), {}))
        asked = {**of_the_past, **(parameters or {})}
        return run_sql(client, name, sql, {key: asked[key] for key in asked if f"{{{key}:" in sql})

    return ask


def _over_the_past(sql: str, instead: Mapping[str, str]) -> str:
    """Let a statement read the ledger as it was, and what applications had reported by then."""
    sources = {
        "llm_attempts": AS_OF,
        "stored_attempts FINAL": AS_OF,
        "task_outcomes": "(SELECT * FROM task_outcomes WHERE received_at <= {as_of:DateTime64(6, 'UTC')})",
        **instead,
    }
    return SOURCES.sub(
        lambda found: f"FROM {sources.get(found[1], found[1])}{found[2] or ' AS ' + found[1].split()[0]}", sql
    )


def _begun(calls: str, tasks: str) -> str:
    """Lay calls and tasks that began in the period out as `tasks_between` does, each in a row of its own."""
    group = "toStartOfHour(started_at) AS hour, route, provider, model"
    return (
        f"SELECT {group}, 1 AS calls, NOT succeeded AS failed, 0 AS tasks, 0 AS successes, "  # noqa: S608
        "NULL AS spend, NULL AS human_spend, 0 AS human_unpriced, 0 AS unpriced, 0 AS partial "
        f"FROM ({calls}) WHERE {IN_PERIOD} UNION ALL "
        f"SELECT {group}, 0 AS calls, 0 AS failed, 1 AS tasks, succeeded AS successes, known_cost AS spend, "
        "human_cost AS human_spend, ifNull(human_minutes, 0) > 0 AND human_cost IS NULL AS human_unpriced, "
        f"unpriced, partial FROM ({tasks}) WHERE {IN_PERIOD}"
    )


def _text_of_view(client: Client, name: str) -> str:
    ((text,),) = client.query(
        "SELECT as_select FROM system.tables WHERE database = currentDatabase() AND name = {name:String}",
        {"name": name},
    ).result_rows
    if not SOURCES.search(text):
        raise LedgerError(f"the view {name} does not read what it should; run `farebox migrate`")
    return str(text)
