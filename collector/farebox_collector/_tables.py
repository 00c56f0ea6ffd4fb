"""Keeps what the ledger's views say of a period as tables in memory, so that several questions are put to one count.

They lie in a database of their own beside the ledger's, which nothing of the ledger reads, and which each start makes
anew: what is in it is gone with the process.

An hour that arrivals touch is counted anew by the views, attempt by attempt. While very much arrives that takes
seconds, and each count only chases what came meanwhile. Then the hours are read as the last refresh left them, and the
table says how long ago that was.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import re
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import chdb

from farebox_ledger.errors import QueryError, clickhouse_words

__all__ = ["TableMade", "Tables"]

SESSIONS_MAX = 2
# What making one may use.
LIMITS = {"max_execution_time": "30", "max_memory_usage": "1073741824"}
HOUR = timedelta(hours=1)
# With so many arrivals that no refresh has worked through, hours are read as the last one left them, if that is recent.
ARRIVALS_MAX = 20_000
BEHIND_S_MAX = 300
# So short a period is shown by less than an hour even then.
FINE_S_MAX = 6 * 3600
BY_THE_HOUR = "Much is arriving: shown by the hour, as counted a moment ago."

ARRIVED = """
SELECT count(), groupUniqArray(toUnixTimestamp(hour)), greatest(dateDiff('second', min(received_at), now64(6)), 0),
    countIf(version = 0 AND toUnixTimestamp(hour) > 0)
FROM arrivals
"""
VIEWS = r"SELECT name, as_select FROM system.tables WHERE database = currentDatabase() AND name LIKE '%\\_between'"


@dataclass(frozen=True)
class TableMade:
    """A table that holds what a view says: its name with the database, its rows, and bytes of memory.

    age_s: seconds since the last refresh, if it is as that left it; note: what somebody who sees it must know.
    """

    name: str
    rows: int
    size: int
    age_s: float = 0.0
    note: str = ""


@dataclass(frozen=True)
class _Source:
    """Where a view is read: its database, the arguments, and what to say of it."""

    database: str
    arguments: Mapping[str, str]
    age_s: float = 0.0
    note: str = ""


class Tables:
    """Makes tables, and drops them; used on one event loop, with threads of its own."""

    def __init__(self, folder: Path, database: str) -> None:
        self._path = str(folder.resolve())
        self._ledger = database
        self._shown = f"{database}_shown"
        self._numbers = itertools.count(1)
        self._threads = ThreadPoolExecutor(SESSIONS_MAX, thread_name_prefix="farebox-tables")
        self._shapes = threading.Lock()
        self._begin()

    async def make(self, view: str, arguments: Mapping[str, str], rows_max: int) -> TableMade:
        """Make a table of the first `rows_max` rows of a view whose name ends in `_between`.

        arguments: as ClickHouse writes them, moments in UTC.

        Raises:
            QueryError: ClickHouse's words.
        """
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._make, view, arguments, rows_max)

    async def drop(self, name: str) -> None:
        """Drop a table that nobody asks any more."""
        await asyncio.get_running_loop().run_in_executor(self._threads, self._run, f"DROP TABLE IF EXISTS {name}")

    def close(self) -> None:
        """Make no more."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _begin(self) -> None:
        """Copy the views, so that no hour is dirty to the copies."""
        views = self._rows(VIEWS)
        if self._rows(f"SELECT 1 FROM system.databases WHERE name = '{self._shown}' AND engine = 'Memory'"):  # noqa: S608
            self._run(f"DROP DATABASE `{self._shown}`")
        self._run(
            f"CREATE DATABASE `{self._shown}` ENGINE = Memory",
            f"CREATE TABLE `{self._shown}`.dirty_hours (hours Array(DateTime('UTC'))) ENGINE = Memory",
            f"INSERT INTO `{self._shown}`.dirty_hours VALUES ([])",  # noqa: S608 -- a name of ours
        )
        dirty = re.compile(rf"\bFROM (`?){re.escape(self._ledger)}\1\.dirty_hours\b")
        for name, select in views:
            copied, found = dirty.subn(f"FROM `{self._shown}`.dirty_hours", select)
            if found:  # a copy that counted now would say of itself that it is older
                self._run(f"CREATE VIEW `{self._shown}`.{name} AS {copied}")

    def _make(self, view: str, arguments: Mapping[str, str], rows_max: int) -> TableMade:
        source = self._source(arguments)
        given = ", ".join(f"{name} = '{value}'" for name, value in sorted(source.arguments.items()))
        select = f"SELECT * FROM `{source.database}`.{view}({given})"  # noqa: S608 -- whoever asks has checked them
        like, name = f"`{self._shown}`.like_{view}", f"t{next(self._numbers)}"
        with self._shapes:  # planning takes longer than many an answer, so what columns there are is asked once
            self._run(f"CREATE TABLE IF NOT EXISTS {like} ENGINE = Memory EMPTY AS {select}")
        table = f"`{self._shown}`.{name}"
        self._run(f"CREATE TABLE {table} AS {like}")
        try:
            self._run(f"INSERT INTO {table} {select} LIMIT {rows_max}")
        except QueryError:
            self._run(f"DROP TABLE IF EXISTS {table}")
            raise
        told = f"SELECT total_rows, total_bytes FROM system.tables WHERE database = '{self._shown}' AND name = '{name}'"  # noqa: S608
        ((rows, size),) = self._rows(told)
        return TableMade(table, int(rows), int(size), source.age_s, source.note)

    def _source(self, arguments: Mapping[str, str]) -> _Source:
        """Choose between counting now and what the last refresh left."""
        now = _Source(self._ledger, arguments)
        ((arrived, hours, behind_s, marks),) = self._rows(ARRIVED)
        if arrived < ARRIVALS_MAX or behind_s > BEHIND_S_MAX or marks:
            return now
        since, until = (datetime.fromisoformat(arguments[name]).replace(tzinfo=UTC) for name in ("since", "until"))
        last_hour = until.replace(minute=0, second=0, microsecond=0)
        left = replace(now, database=self._shown, age_s=float(behind_s))
        if int(arguments.get("step_s", "3600")) % 3600:
            if (until - since).total_seconds() <= FINE_S_MAX:
                return now
            left = replace(left, arguments={**left.arguments, "step_s": "3600"}, note=BY_THE_HOUR)
        if until == last_hour or last_hour.timestamp() not in hours:
            return left
        if since >= last_hour or not self._holds_nothing_from(last_hour, until):
            return now
        return replace(left, arguments={**left.arguments, "until": _written(last_hour + HOUR)})

    def _holds_nothing_from(self, hour: datetime, moment: datetime) -> bool:
        """Say whether nothing began in an hour after a moment, so that the hour can be taken whole."""
        begun = f"toStartOfHour(started_at) = toDateTime({int(hour.timestamp())}, 'UTC')"
        ((last,),) = self._rows(f"SELECT toUnixTimestamp64Micro(max(started_at)) FROM stored_attempts WHERE {begun}")  # noqa: S608
        return bool(last < moment.timestamp() * 1_000_000)

    def _rows(self, sql: str) -> list[list[Any]]:
        lines = self._run(sql, form="JSONCompactEachRow").splitlines()
        return [json.loads(line) for line in lines]

    def _run(self, *statements: str, form: str = "TabSeparated") -> str:
        settings = {**LIMITS, "database": self._ledger, "output_format_json_quote_64bit_integers": "0"}
        connection: Any = chdb.connect(f"{self._path}?{urlencode(settings)}")  # type: ignore[no-untyped-call]
        told = b""
        try:
            for statement in statements:
                told = connection.query(statement, form).bytes() or b""
        except RuntimeError as error:
            raise QueryError(clickhouse_words(error)) from None
        finally:
            connection.close()
        return bytes(told).decode()


def _written(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S.%f}"
