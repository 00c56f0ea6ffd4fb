"""Takes a person out of the ledger: their calls stay and cost what they cost, and nobody can tell whose they were.

What was said goes, with the spans as they came; of the attempts the user's id alone. Rows are written anew before the
old ones go, the same way as corrections, so that every figure is the same before, during and after.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from farebox_ledger._portions import portions
from farebox_ledger._refresh import refresh_all
from farebox_ledger._reprice import ADJUSTED_FROM
from farebox_ledger.errors import LedgerError, QueryError, clickhouse_words

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

__all__ = ["FORGOTTEN", "forget", "forget_as_asked", "remembered"]

FORGOTTEN = "forgotten"
ATTEMPTS_MAX = 200_000  # of one statement, to bound its memory
SETTINGS = {"mutations_sync": 2, "allow_nondeterministic_mutations": 1}
# Where a span says whose call it was; the ledger reads the same names.
NAMES = ("farebox.user", "user.id", "enduser.id", "traceloop.association.properties.user_id")
OF_THEM = "user_id IN ({users:Array(String)})"
SPAN_OF_THEM = f"hasAny([{', '.join(f'SpanAttributes[{name!r}]' for name in NAMES)}], {{users:Array(String)}})"
SAID_BY_THEM = (
    "(TraceId, SpanId) IN (SELECT lower(hex(trace_id)), lower(hex(span_id)) FROM stored_attempts "  # noqa: S608
    f"WHERE {OF_THEM}) OR (TraceId, SpanId) IN (SELECT TraceId, SpanId FROM otel_traces WHERE {SPAN_OF_THEM})"
)
WRITTEN_ANEW = f"(trace_id, span_id) IN (SELECT trace_id, span_id FROM stored_attempts WHERE user_id = '{FORGOTTEN}')"  # noqa: S608
STILL_IN_HOUR = f"hour NOT IN (SELECT toStartOfHour(started_at) FROM stored_attempts WHERE {OF_THEM})"  # noqa: S608
STILL_ON_DAY = f"day NOT IN (SELECT toDate(started_at) FROM stored_attempts WHERE {OF_THEM})"  # noqa: S608
# What is kept of a person, and which rows it is; in the order in which it goes, so that a cut run can be repeated.
KEPT: Mapping[str, str] = {
    "otel_logs": SAID_BY_THEM,
    "otel_traces": SPAN_OF_THEM,
    "foreign_spans": OF_THEM,
    "budgets": "applies_to['user_id'] IN ({users:Array(String)})",
    "stored_attempts": OF_THEM,
    "users_hourly": OF_THEM,
    "users_daily": OF_THEM,
}
DELETED = ("otel_logs", "otel_traces", "budgets")


def remembered(client: Client, users: Sequence[str]) -> dict[str, int]:
    """Count what the ledger holds of a person, by table; `users` are all the names under which they are recorded.

    Raises:
        QueryError: ClickHouse refused a question.
        LedgerError: no user is named.
    """
    users = _named(users)
    return {
        table: _ask(client, f"SELECT count() FROM {table} WHERE {which}", users)[0][0]  # noqa: S608
        for table, which in KEPT.items()
    }


def forget(client: Client, users: Sequence[str]) -> dict[str, int]:
    """Take a person out of every table, and return how many rows of each held them.

    It may be cut anywhere and repeated. Spans that arrive later are new; who sends on is told apart again.

    Raises:
        QueryError: ClickHouse refused a statement.
        LedgerError: no user is named.
    """
    users = _named(users)
    found = remembered(client, users)
    for table in DELETED:
        _change(client, f"ALTER TABLE {table} DELETE WHERE {KEPT[table]}", users)
    _change(client, f"ALTER TABLE foreign_spans UPDATE user_id = '{FORGOTTEN}' WHERE {OF_THEM}", users)
    for hours in portions(_hours(client, users), ATTEMPTS_MAX):
        _change(client, _written_anew(), users, hours=hours)
    refresh_all(client)
    # What arrived meanwhile was not written anew, and stays.
    _change(client, f"ALTER TABLE stored_attempts DELETE WHERE {OF_THEM} AND {WRITTEN_ANEW}", users)
    ((now,),) = _ask(client, "SELECT now64(6, 'UTC')", users)
    for rollup, still in (("users_hourly", STILL_IN_HOUR), ("users_daily", STILL_ON_DAY)):
        past = f"{OF_THEM} AND rolled_at <= {{now:DateTime64(6, 'UTC')}} AND {still}"
        # First what was counted before, which a later row of zeros replaced: the other way round it would count again.
        counted = "attempts + no_price + no_usage + partial > 0 OR spend IS NOT NULL"
        _change(client, f"ALTER TABLE {rollup} DELETE WHERE {past} AND ({counted})", users, now=now)
        _change(client, f"ALTER TABLE {rollup} DELETE WHERE {past}", users, now=now)
    return found


def forget_as_asked(client: Client, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Carry out `farebox forget`: of the `users`, all of them names of one person."""
    return {"forgotten": forget(client, [str(user) for user in asked["users"]])}


def _named(users: Sequence[str]) -> list[str]:
    if not users or not all(user.strip() for user in users):
        raise LedgerError("the user '' names nobody: calls without a user have that; name the user as it was tagged")
    if FORGOTTEN in users:
        raise LedgerError(f"the user {FORGOTTEN!r} stands for all who were forgotten; name another")
    return list(users)


def _hours(client: Client, users: list[str]) -> list[tuple[datetime, int]]:
    """Say in which hours they have attempts, and how many."""
    return _ask(
        client,
        f"SELECT toStartOfHour(started_at) AS hour, count() FROM stored_attempts WHERE {OF_THEM} "  # noqa: S608
        "GROUP BY hour ORDER BY hour",
        users,
    )


def _written_anew() -> str:
    """Write the attempts of some hours again without the user; their versions are above all others."""
    return (
        f"INSERT INTO stored_attempts SELECT stored.* REPLACE ('{FORGOTTEN}' AS user_id, "  # noqa: S608
        f"bitOr(generateSnowflakeID(), {ADJUSTED_FROM}) AS version) FROM stored_attempts AS stored FINAL "
        f"WHERE toStartOfHour(stored.started_at) IN ({{hours:Array(DateTime('UTC'))}}) AND stored.{OF_THEM}"
    )


def _ask(client: Client, sql: str, users: list[str]) -> list[tuple[Any, ...]]:
    from clickhouse_connect.driver.exceptions import ClickHouseError

    try:
        return [tuple(row) for row in client.query(sql, {"users": users}).result_rows]
    except ClickHouseError as error:
        raise QueryError(f"what is kept of a user cannot be read: {clickhouse_words(error)}") from error


def _change(client: Client, sql: str, users: list[str], **parameters: Any) -> None:
    from clickhouse_connect.driver.exceptions import ClickHouseError

    try:
        client.command(sql, {"users": users, **parameters}, settings=SETTINGS)
    except ClickHouseError as error:
        raise QueryError(
            f"forgetting stopped half-way: {clickhouse_words(error)}; mend the cause and run it again"
        ) from error
