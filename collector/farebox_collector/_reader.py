"""Answers read-only statements from the embedded ClickHouse, each in a session of its own."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import chdb

from farebox_collector._native import number, text
from farebox_collector._readonly import Guard, RefusedError, is_allowed_setting

__all__ = ["Answer", "Question", "Reader"]

SESSIONS_MAX = 6
WAITING_MAX = 64
TOO_MANY_SIMULTANEOUS_QUERIES = 202
UNKNOWN_FORMAT = 73
# A statement waits no longer than this for what was acknowledged before it; under load rows come a little later.
SETTLED_S_MAX = 2.0

# What one statement may use, unless it asks for less or more by the same settings.
LIMITS = {"max_execution_time": "60", "max_result_bytes": "268435456", "max_memory_usage": "2147483648"}


@dataclass(frozen=True)
class Question:
    """A statement with its database, its format unless it names one itself, parameters and settings."""

    sql: str
    database: str
    default_format: str = "TabSeparated"
    parameters: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Answer:
    """The result as bytes in the format asked for."""

    body: bytes
    format: str
    rows_read: int
    bytes_read: int
    elapsed_s: float


class Reader:
    """A few threads that ask. A session costs less than a millisecond, so none outlives its statement:
    what one sets or uses, the next does not see.
    """

    def __init__(self, folder: Path, settled: Callable[[], Future[None]] | None = None) -> None:
        """Make one; `settled` gives a future that resolves once what is acknowledged by now can be read."""
        self._path = str(folder.resolve())
        self._settled = settled
        self._threads = ThreadPoolExecutor(SESSIONS_MAX, thread_name_prefix="farebox-reader")
        self._waiting = 0
        self._asking = 0
        self._idle = threading.Condition()
        connection = self._connect({})
        try:
            self._guard = Guard(connection)
            listed = connection.query("SELECT name FROM system.formats WHERE is_output", "TabSeparated")
            self._formats = frozenset(listed.bytes().decode().split())
        finally:
            connection.close()

    async def ask(self, question: Question, *, settled: bool = True) -> Answer:
        """Answer a statement; if `settled`, of all that was acknowledged before it.

        Raises:
            RefusedError: it is not a statement that only reads, or too many are waiting.
            RuntimeError: ClickHouse's own words.
        """
        if self._waiting >= WAITING_MAX:
            words = f"{self._waiting} statements are being answered, no more than {WAITING_MAX} may be"
            raise RefusedError(words, TOO_MANY_SIMULTANEOUS_QUERIES)
        self._waiting += 1
        try:
            if settled and self._settled is not None:  # who was told that a span is taken, and asks then, sees it
                await asyncio.wait([asyncio.wrap_future(self._settled())], timeout=SETTLED_S_MAX)
            return await asyncio.get_running_loop().run_in_executor(self._threads, self._answer, question)
        finally:
            self._waiting -= 1

    def close(self, timeout_s: float) -> bool:
        """Turn waiting statements away; False when one was still running after the time given."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        with self._idle:
            return self._idle.wait_for(lambda: self._asking == 0, timeout_s)

    def _answer(self, question: Question) -> Answer:
        with self._idle:
            self._asking += 1
        try:
            return self._ask(question)
        finally:
            with self._idle:
                self._asking -= 1
                self._idle.notify_all()

    def _ask(self, question: Question) -> Answer:
        if question.default_format not in self._formats:
            raise RefusedError(f"Unknown format {question.default_format[:100]}", UNKNOWN_FORMAT)
        for name in question.settings:
            if not is_allowed_setting(name):
                raise RefusedError(f"the setting {name[:100]} cannot be changed here")
        connection = self._connect({**question.settings, "database": question.database})
        try:
            checked = self._guard.check(connection, question.sql, question.parameters)
            parameters = dict(question.parameters)
            result = connection.query(question.sql, question.default_format, params=parameters)
            body = result.bytes() or b""
            format_ = checked.format or question.default_format
            if format_ == "Native" and not body:
                body = _empty_block(connection, checked.sql, parameters)
            return Answer(body, format_, result.rows_read(), result.bytes_read(), result.elapsed())
        finally:
            connection.close()

    def _connect(self, settings: Mapping[str, str]) -> Any:
        return chdb.connect(  # type: ignore[no-untyped-call]
            f"{self._path}?{urlencode({**LIMITS, **settings, 'mode': 'ro'})}"
        )


def _empty_block(connection: Any, sql: str, parameters: dict[str, str]) -> bytes:
    """Write the block without rows that a server sends for an empty result; chDB sends nothing at all.

    Without it clients do not learn the names and types of the columns.
    """
    try:
        described = connection.query(f"DESCRIBE ({sql})", "JSONCompactEachRow", params=parameters).bytes() or b""
    except RuntimeError:  # no SELECT: such a statement has no columns
        return b""
    columns = [json.loads(line)[:2] for line in described.splitlines()]
    return number(len(columns)) + number(0) + b"".join(text(name) + text(kind) for name, kind in columns)
