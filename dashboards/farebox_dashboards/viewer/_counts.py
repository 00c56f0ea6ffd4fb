"""Counts once what several questions are about.

Most of what a panel costs is planning the ledger's views `…_between` and counting anew the hours that arrivals touch,
and the panels over one range read the same of them. So what such a view says of a range becomes a table in memory for
a moment, and the questions are put to the table.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from farebox_dashboards._macros import arguments
from farebox_dashboards.viewer._turns import Turns
from farebox_ledger import LedgerError

__all__ = ["Counts", "Keep", "Made", "Standing"]

ROWS_MAX = 200_000
BYTES_MAX = 256 * 1024 * 1024
READ_MAX = 500
CALL = re.compile(r"\b\w+_between(?=\()")
ALIAS = re.compile(r"\s*AS\b", re.IGNORECASE)
MOMENTS = ("since", "until")
# Values of arguments are moments, numbers and words; they are written into a statement.
PLAIN = re.compile(r"[\w :.-]*")


class Made(Protocol):
    """A table that holds an answer."""

    @property
    def name(self) -> str:
        """Its name, as a statement has it."""
        ...

    @property
    def rows(self) -> int:
        """How many rows it holds."""
        ...

    @property
    def size(self) -> int:
        """The bytes of memory it takes."""
        ...

    @property
    def age_s(self) -> float:
        """How old it was when it was made, in seconds."""
        ...

    @property
    def note(self) -> str:
        """What somebody who sees it must know; empty for nothing."""
        ...


class Keep(Protocol):
    """Makes tables of what views of the ledger say; it raises LedgerError."""

    async def make(self, view: str, arguments: Mapping[str, str], rows_max: int) -> Made:
        """Make a table of a view's first rows."""
        ...

    async def drop(self, name: str) -> None:
        """Drop a table."""
        ...


# Answers one row of texts.
Read = Callable[[str], Coroutine[Any, Any, list[str]]]


_Key = tuple[str | tuple[str, str], ...]
# Says whether somebody waits.
Urgency = Callable[[], bool]


@dataclass(frozen=True)
class Standing:
    """A statement with tables in the place of views.

    counted_at: when the first of them was counted, of the monotonic clock; None: there is none; age_s: how old one of
    them was then, in seconds.
    """

    sql: str
    counted_at: float | None = None
    age_s: float = 0.0
    notes: frozenset[str] = frozenset()


@dataclass(frozen=True)
class _Call:
    """A call of a view in a statement, from its name up to behind its closing parenthesis, and what it asks for."""

    view: str
    begin: int
    end: int
    arguments: Mapping[str, str]

    @property
    def key(self) -> _Key:
        """What calls that ask for the same have in common."""
        return (self.view, *sorted(self.arguments.items()))


@dataclass
class _Count:
    """What a view says of a range: under way, or a table; None if it cannot be kept."""

    made: asyncio.Task[tuple[Made | None, float]]
    begun: asyncio.Event
    users: list[Urgency]
    is_over: bool = False


class Counts:
    """Counts for all browsers; used on one event loop."""

    def __init__(self, keep: Keep, read: Read, turns: Turns) -> None:
        self._keep = keep
        self._read = read
        self._turns = turns
        self._counts: dict[_Key, _Count] = {}
        self._values: dict[str, asyncio.Task[list[str]]] = {}
        self._size = 0
        self._dropping: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def standing(self, sql: str, kept_s: float, is_urgent: Urgency) -> AsyncIterator[Standing]:
        """Give the statement over tables, where that can be; they stay for as long as it is asked.

        kept_s: seconds for which a count serves further statements; is_urgent: whether somebody waits for this one.
        """
        async with AsyncExitStack() as stack:
            calls = await self._calls(sql)
            counts = [await stack.enter_async_context(self._used(each, kept_s, is_urgent)) for each in calls]
            standing = Standing(sql)
            for call, count in reversed(list(zip(calls, counts, strict=True))):
                table, counted_at = await asyncio.shield(count.made)
                if table is not None:
                    name = table.name if ALIAS.match(sql, call.end) else f"{table.name} AS {call.view}"
                    standing = Standing(
                        standing.sql[: call.begin] + name + standing.sql[call.end :],
                        min(counted_at, counted_at if standing.counted_at is None else standing.counted_at),
                        max(table.age_s, standing.age_s),
                        standing.notes | ({table.note} - {""}),
                    )
            yield standing

    async def _calls(self, sql: str) -> list[_Call]:
        """Find the calls that can be counted for all; what a view says of each tenant by itself is too much to keep."""
        found = []
        for call in CALL.finditer(sql):
            given, closing = arguments(sql, call.end())
            named = [(name.strip(), value) for name, _, value in (each.partition("=") for each in given)]
            try:
                values = dict(zip((name for name, _ in named), await self._worked_out(named), strict=True))
            except LedgerError:  # they say something about the statement that they are in
                continue
            if all(PLAIN.fullmatch(each) for each in values.values()) and values.get("by_tenant") == "0":
                found.append(_Call(call[0], call.start(), closing + 1, values))
        return found

    async def _worked_out(self, given: list[tuple[str, str]]) -> list[str]:
        """Let ClickHouse work out arguments, since panels write the same range in several ways."""
        texts = (f"toDateTime64({value}, 6, 'UTC')" if name in MOMENTS else value for name, value in given)
        sql = "SELECT " + ", ".join(f"toString({each})" for each in texts)
        if sql not in self._values:
            if len(self._values) >= READ_MAX:
                self._values.clear()
            self._values[sql] = asyncio.create_task(self._read(sql))
        try:
            return await asyncio.shield(self._values[sql])
        except LedgerError:
            self._values.pop(sql, None)
            raise

    @asynccontextmanager
    async def _used(self, call: _Call, kept_s: float, is_urgent: Urgency) -> AsyncIterator[_Count]:
        count = self._counts.get(call.key)
        if count is None:
            users: list[Urgency] = []
            begun = asyncio.Event()
            made = asyncio.create_task(self._count(call, kept_s, begun, lambda: any(each() for each in users)))
            count = self._counts[call.key] = _Count(made, begun, users)
        count.users.append(is_urgent)
        self._turns.stir()
        try:
            yield count
        finally:
            count.users.remove(is_urgent)
            if not count.users and not count.begun.is_set():  # everybody went away
                del self._counts[call.key]
                count.made.cancel()
            else:
                self._let_go(count)

    async def _count(
        self, call: _Call, kept_s: float, begun: asyncio.Event, is_urgent: Urgency
    ) -> tuple[Made | None, float]:
        async with self._turns.turn(is_urgent):
            begun.set()
            counted_at = time.monotonic()
            try:
                made = await self._keep.make(call.view, call.arguments, ROWS_MAX + 1)
            except LedgerError:
                made = None  # whoever asks without a table is told why, if it is still so
            finally:
                asyncio.get_running_loop().call_later(kept_s, self._end, call.key)
        if made is None:
            return None, counted_at
        self._size += made.size
        if made.rows <= ROWS_MAX and self._size <= BYTES_MAX:
            return made, counted_at
        await self._drop(made)
        return None, counted_at

    def _end(self, key: _Key) -> None:
        """Serve no further statement with a count."""
        count = self._counts.pop(key)
        count.is_over = True
        self._let_go(count)

    def _let_go(self, count: _Count) -> None:
        if count.is_over and not count.users:
            self._dropping = {task for task in self._dropping if not task.done()}
            self._dropping.add(asyncio.create_task(self._dropped(count)))

    async def _dropped(self, count: _Count) -> None:
        await asyncio.wait([count.made])
        if not count.made.cancelled() and count.made.exception() is None:
            made, _ = count.made.result()
            if made is not None:
                await self._drop(made)

    async def _drop(self, made: Made) -> None:
        self._size -= made.size
        await self._keep.drop(made.name)
