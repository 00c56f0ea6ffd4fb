"""Works through what was stored since the last time: finds duplicates, and counts the hours it touches into rollups.

Every figure is exact before, during and after; a refresh only makes it cheap to read. What waits stands in `arrivals`,
part by part; a part is dropped once everything about it is noted, so that a crash at any point is mended by the next
refresh. Each step may be repeated, and two may work at once.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, cast

from farebox_ledger._background import Background
from farebox_ledger._portions import portions
from farebox_ledger.errors import LedgerError, QueryError, clickhouse_words

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

__all__ = ["Refreshed", "Refresher", "refresh", "refresh_all"]

# Bounds of memory: what a refresh takes at once, and what it counts in one statement.
ARRIVALS_MAX = 1_000_000
ATTEMPTS_MAX = 500_000
SETTINGS = {"max_bytes_before_external_group_by": 1_000_000_000, "max_insert_threads": 1}
NOTES = (
    "note_moved_attempts",
    "note_span_conflicts",
    "note_spanning_tasks",
    "note_attempt_hours",
    "note_task_hours",
    "note_parts",
)
COVERED_NOTES = ("note_covered_hours", "note_covered_attempts", "note_covered_decisions")
FOREIGN_NOTES = (
    "note_foreign_decisions",
    "note_foreign_attempts",
    "note_foreign_counted",
    "note_foreign_decided",
)
FOREIGN_WAIT_S = 300
ROLLUPS = (
    "attempts_hourly",
    "users_hourly",
    "tasks_hourly",
    "failures_hourly",
    "answers_hourly",
    "units_hourly",
    "numbers_hourly",
)
# In the background a refresh waits nine times as long as it worked, so that it takes a tenth of a core at most.
PAUSE_S_MIN = 2.0
PAUSE_S_MAX = 60.0
PAUSE_SHARE = 9
MERGED_MEANWHILE = "NO_SUCH_DATA_PART"


_log = logging.getLogger("farebox.ledger")


@dataclass(frozen=True)
class Refreshed:
    """What one refresh worked through; `more` says whether arrivals are left."""

    arrivals: int
    hours: int
    more: bool


def refresh(
    client: Client, is_closing: Callable[[], bool] = lambda: False, foreign_wait_s: int = FOREIGN_WAIT_S
) -> Refreshed:
    """Work through the oldest arrivals, at most about a million of them; give up between steps when asked to.

    Spans of other instrumentations count `foreign_wait_s` after they came, unless farebox reported the same call.

    Raises:
        QueryError: ClickHouse refused a step; the next refresh begins anew.
    """
    _decide_foreign(client, foreign_wait_s)
    parts = _parts(client)
    if not parts:
        _close_days(client, is_closing)
        return Refreshed(0, 0, more=False)
    for batch in portions([(name, rows) for name, rows, noted in parts if not noted], ARRIVALS_MAX):
        ((foreign_count,),) = _run(client, "foreign_counted", {})
        for step in (*(COVERED_NOTES if foreign_count else ()), *NOTES):
            _run(client, step, {"parts": batch})
    taken = next(portions([(name, rows) for name, rows, _ in parts], ARRIVALS_MAX))
    rows = sum(rows for name, rows, _ in parts if name in taken)
    slices = list(portions(_run(client, "touched_hours", {"parts": taken}), ATTEMPTS_MAX))
    counts = [("spanning_calls", hours) for hours in slices]  # of all hours before the first that reads them
    counts += [(rollup, hours) for hours in slices for rollup in ROLLUPS]
    for name, hours in counts:
        if is_closing():
            return Refreshed(0, 0, more=True)
        _count(client, name, hours)
    dropped = [name for name in taken if _drop(client, name)]
    return Refreshed(rows, sum(map(len, slices)), more=len(dropped) < len(parts))


def refresh_all(client: Client) -> int:
    """Refresh until nothing waits and days that have passed are counted; return how many arrivals that were.

    Raises:
        QueryError: ClickHouse refused a step.
    """
    arrivals = 0
    while True:
        done = refresh(client)
        arrivals += done.arrivals
        if not done.arrivals and not done.more:
            return arrivals


class Refresher(Background):
    """Refreshes again and again; whoever holds the store has one. It closes its client."""

    def __init__(self, client: Client) -> None:
        super().__init__(client, "farebox-refresher")

    def _first_pause_s(self) -> float:
        return PAUSE_S_MIN

    def _step(self) -> float:
        began = time.monotonic()
        self._refresh()
        return min(max(PAUSE_S_MIN, PAUSE_SHARE * (time.monotonic() - began)), PAUSE_S_MAX)

    def _refresh(self) -> None:
        try:
            refresh(self._client, self._closing.is_set)
        except LedgerError as error:
            _log.warning("The rollups are not refreshed; figures stay exact and get slower to read: %s", error)
        except Exception:  # noqa: BLE001 -- a thread that ends would leave all that comes to be counted by each query
            _log.exception("A refresh failed in an unforeseen way")


def _parts(client: Client) -> list[tuple[str, int, bool]]:
    """List the parts of arrivals and whether they are noted, oldest first, as the first of duplicates must be met."""
    found = client.query(
        "SELECT name, rows, name IN (SELECT part FROM noted_parts) FROM system.parts "
        "WHERE database = currentDatabase() AND table = 'arrivals' AND active AND rows > 0 ORDER BY min_block_number"
    ).result_rows
    return [(str(name), int(rows), bool(noted)) for name, rows, noted in found]


def _decide_foreign(client: Client, wait_s: int) -> None:
    """Let spans of other instrumentations into the ledger, once all reports of a call should have come."""
    ((since, until, spans),) = _run(client, "foreign_due", {"wait_s": wait_s})
    for step in FOREIGN_NOTES if spans else ():
        _run(
            client, step, {name: at for name, at in (("since", since), ("until", until)) if f"{{{name}:" in _text(step)}
        )


def _count(client: Client, rollup: str, hours: list[datetime]) -> None:
    """Count some hours into a rollup, and in one stroke blank groups that it still has from before.

    So whoever reads the rollup meanwhile sees it as it was, or as it is.
    """
    asked = {"hours": hours, "now": _now(client)}
    _run(client, f"count_{rollup}", asked)
    if rollup == "spanning_calls":  # its blanking deletes, which costs more than to ask whether there is anything
        ((gone,),) = _run(client, "gone_of_spanning_calls", asked)
        if gone:
            _run(client, "blank_spanning_calls", asked)


def _now(client: Client) -> datetime:
    """Ask the store for the time: several processes may refresh it."""
    ((now,),) = client.query("SELECT now64(6, 'UTC')").result_rows
    return cast("datetime", now)


def _close_days(client: Client, is_closing: Callable[[], bool]) -> None:
    """Count the days that have passed and are not counted as they are."""
    for (day,) in _run(client, "days_due", {}):
        if is_closing():
            return
        asked = {"day": day, "now": _now(client)}
        _run(client, "count_users_daily", asked)
        _run(client, "note_counted_day", asked)


def _drop(client: Client, part: str) -> bool:
    """Drop a part of arrivals; False if it was merged meanwhile, and the next refresh meets its rows again."""
    from clickhouse_connect.driver.exceptions import ClickHouseError

    try:
        client.command(f"ALTER TABLE arrivals DROP PART '{part}'")
    except ClickHouseError as error:
        if MERGED_MEANWHILE in str(error):
            return False
        raise QueryError(f"a refresh failed at dropping {part}: {clickhouse_words(error)}") from error
    return True


@cache
def _text(step: str) -> str:
    folder = files("farebox_ledger").joinpath("refresh")
    text = folder.joinpath(f"{step}.sql").read_text(encoding="utf-8")
    rollup = step.removeprefix("count_")
    if rollup in ROLLUPS:
        return f"{text}\nUNION ALL\n" + folder.joinpath(f"blank_{rollup}.sql").read_text(encoding="utf-8")
    return text


def _run(client: Client, step: str, parameters: dict[str, Any]) -> Sequence[Sequence[Any]]:
    from clickhouse_connect.driver.exceptions import ClickHouseError

    try:
        if step.startswith(("note", "count", "blank")):
            client.command(_text(step), parameters, settings=SETTINGS)
            return ()
        return client.query(_text(step), parameters, settings=SETTINGS).result_rows
    except ClickHouseError as error:
        raise QueryError(f"a refresh failed at {step}: {clickhouse_words(error)}") from error
