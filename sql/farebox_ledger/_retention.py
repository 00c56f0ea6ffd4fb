"""Keeps each kind of data as long as its setting says: the ledger for good, traces for a month, content for a week.

Age is counted from what the store itself knows, where it does: a wrong clock neither keeps a row nor loses it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from farebox.settings import setting

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

__all__ = ["KEPT", "apply_retention"]

# Table → the setting that says how many days, and the moment from which they count. What only holds decisions of people
# (prices, budgets, settings of routes, annotations, bills) is never deleted.
KEPT: Mapping[str, tuple[str, str]] = {
    "otel_traces": ("traces_days", "ReceivedAt"),
    "foreign_spans": ("traces_days", "toDateTime(received_at)"),
    "otel_logs": ("content_days", "TimestampTime"),
    "stored_attempts": ("ledger_days", "toDateTime(received_at)"),
    "adjustments": ("ledger_days", "toDateTime(adjusted_at)"),
    "attempt_hours": ("ledger_days", "hour"),
    "task_hours": ("ledger_days", "hour"),
    "spanning_calls": ("ledger_days", "hour"),
    "task_outcomes": ("ledger_days", "toDateTime(received_at)"),
    "span_conflicts": ("ledger_days", "toDateTime(received_at)"),
    "client_health": ("ledger_days", "toDateTime(received_at)"),
    "attempts_hourly": ("ledger_days", "hour"),
    "users_hourly": ("ledger_days", "hour"),
    "failures_hourly": ("ledger_days", "hour"),
    "answers_hourly": ("ledger_days", "hour"),
    "units_hourly": ("ledger_days", "hour"),
    "numbers_hourly": ("ledger_days", "hour"),
    "users_daily": ("ledger_days", "toDateTime(day)"),
    "tasks_hourly": ("ledger_days", "hour"),
}
TTL = re.compile(r"\bTTL (.+?)(?: SETTINGS |$)")


def apply_retention(client: Client) -> list[str]:
    """Bring the tables in step with the settings and return those that changed; 0 days keep for good."""
    rows = client.query(
        "SELECT name, engine_full FROM system.tables WHERE database = currentDatabase() "
        "AND name IN {names:Array(String)}",
        {"names": list(KEPT)},
    ).result_rows
    changed = []
    for table, engine in rows:
        name, moment = KEPT[table]
        days = int(setting(name))
        found = TTL.search(engine)
        now = found.group(1) if found else ""
        wanted = f"{moment} + toIntervalDay({days})" if days else ""
        if now != wanted:
            change = f"MODIFY TTL {wanted}" if wanted else "REMOVE TTL"
            client.command(f"ALTER TABLE {table} {change}")
            changed.append(table)
    return changed
