"""Puts questions to the ledger: within limits, a few at a time, and what several viewers or panels ask once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Hashable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Protocol

from farebox_dashboards.viewer._counts import Counts, Keep, Standing
from farebox_dashboards.viewer._frames import Table, read_table
from farebox_dashboards.viewer._turns import Turns
from farebox_dashboards.viewer.errors import AnswerError, BusyError
from farebox_ledger import LedgerError

__all__ = ["ROWS_MAX", "Answers", "Ask", "kept_s"]

ROWS_MAX = 5000
ASKED_AT_ONCE_MAX = 2
WAITING_MAX = 400
# A page that asks again by itself takes an answer that is so many times as old, if a newer one is being counted.
SAID_AGAIN_MAX = 3
# Several browsers on one dashboard ask the same within moments: the page takes "now" in steps of 5 s and more for it.
# Of a long range an answer is kept for as long as a step (time.ts); the page says how old it is.
KEPT_S = 15.0
KEPT_LONG_S = {12 * 3600: 30.0, 48 * 3600: 60.0}
KEPT_MAX = 512
KEPT_BYTES_MAX = 64 * 1024 * 1024

# Of ClickHouse. `limit` cuts the answer; the others end a question that takes too much.
SETTINGS = {
    "limit": str(ROWS_MAX + 1),
    "max_execution_time": "30",
    "max_result_bytes": "67108864",
    "date_time_output_format": "iso",
    "output_format_json_quote_decimals": "1",
    "output_format_json_quote_64bit_integers": "0",
}

_Key = tuple[str, ...]


class Ask(Protocol):
    """Puts one statement that only reads to the ledger and gives its answer as JSONCompact.

    Raises LedgerError, with ClickHouse's words.
    """

    async def __call__(self, sql: str, parameters: Mapping[str, str], settings: Mapping[str, str]) -> bytes:
        """Ask; whatever way there is, the statement cannot change anything."""
        ...


@dataclass
class _Kept:
    """A question under way or answered a moment ago."""

    answer: asyncio.Task[Table]
    begun: asyncio.Event
    kept_s: float
    urgency: asyncio.Event
    waiters: int = 0

    def leave(self) -> bool:
        """Take one who waits away; True if nobody is left and the ledger need not be asked any more."""
        self.waiters -= 1
        return not self.waiters and not self.begun.is_set() and self.answer.cancel()

    def table(self, times: float = 1) -> Table | None:
        """Give the answer, if there is one that is at most so many times as old as it is kept."""
        if not self.answer.done() or self.failed():
            return None
        table = self.answer.result()
        return table if time.monotonic() <= table.asked_at + times * self.kept_s else None

    def failed(self) -> bool:
        """Say whether it ended without an answer."""
        return self.answer.done() and (self.answer.cancelled() or self.answer.exception() is not None)


class Answers:
    """Asks for all browsers; used on one event loop."""

    def __init__(self, ask: Ask, keep: Keep | None = None) -> None:
        self._ask = ask
        self._turns, self._count_turns = Turns(ASKED_AT_ONCE_MAX), Turns(ASKED_AT_ONCE_MAX)
        # What is asked of a table that is already counted takes milliseconds, and is not to wait for the rest.
        self._quick_turns = asyncio.Semaphore(ASKED_AT_ONCE_MAX)
        self._counts = None if keep is None else Counts(keep, self._read, self._count_turns)
        self._waiting = 0
        self._kept: dict[_Key, _Kept] = {}
        self._latest: dict[Hashable, _Key] = {}

    async def table(
        self,
        sql: str,
        parameters: Mapping[str, str] | None = None,
        *,
        exact: bool = False,
        kept_s: float = KEPT_S,
        like: Hashable = None,
        waits: bool = True,
    ) -> Table:
        """Answer a statement, or say again what was answered in the last `kept_s`; the first ROWS_MAX rows of it.

        like: what it has in common with statements asked a moment earlier and later. Who does not wait is given the
        latest answer to any of them while this one is counted, if it is at most SAID_AGAIN_MAX times `kept_s` old.

        Raises:
            AnswerError: ClickHouse does not answer; its words, and the statement.
            BusyError: too many questions wait.
        """
        given = dict(parameters or {})
        key = (sql, str(exact), *(f"{name}={value}" for name, value in sorted(given.items())))
        self._forget()
        kept = self._kept.get(key)
        if kept is None or (kept.answer.done() and kept.table() is None):
            if self._waiting >= WAITING_MAX:
                raise BusyError(f"{self._waiting} questions wait already; try again in a moment")
            self._kept.pop(key, None)
            begun, urgency = asyncio.Event(), asyncio.Event()
            asking = self._answer(begun, sql, given, exact=exact, kept_s=kept_s, is_urgent=urgency.is_set)
            kept = self._kept[key] = _Kept(asyncio.create_task(asking), begun, kept_s, urgency)
            if like is not None:
                kept.answer.add_done_callback(lambda _: self._latest.update({like: key}))
        kept.waiters += 1
        earlier = None if waits or kept.answer.done() else self._kept.get(self._latest.get(like, ()))
        known = None if earlier is None else earlier.table(SAID_AGAIN_MAX)
        if known is not None:
            return known  # this one stays a waiter, so that it is counted whoever goes away
        kept.urgency.set()
        self._turns.stir()
        self._count_turns.stir()
        try:
            # Whoever asked first may leave; the others still want the answer.
            return await asyncio.shield(kept.answer)
        finally:
            if kept.leave():
                self._kept.pop(key, None)

    async def _answer(
        self,
        begun: asyncio.Event,
        sql: str,
        parameters: Mapping[str, str],
        *,
        exact: bool,
        kept_s: float,
        is_urgent: Callable[[], bool],
    ) -> Table:
        self._waiting += 1
        try:
            async with self._standing(sql, parameters, kept_s, is_urgent) as standing:
                over_tables = standing.sql != sql
                async with self._quick_turns if over_tables else self._turns.turn(is_urgent):
                    begun.set()
                    asked_at = time.monotonic() if standing.counted_at is None else standing.counted_at
                    answer = await self._ask(standing.sql, parameters, SETTINGS)
        except LedgerError as error:
            raise AnswerError(str(error), sql) from None
        finally:
            self._waiting -= 1
        table = read_table(answer, ROWS_MAX, exact=exact)
        return replace(table, size=len(answer), asked_at=asked_at, older_s=standing.age_s, notes=standing.notes)

    @asynccontextmanager
    async def _standing(
        self, sql: str, parameters: Mapping[str, str], kept_s: float, is_urgent: Callable[[], bool]
    ) -> AsyncIterator[Standing]:
        """Put tables in the place of what other questions ask too."""
        if self._counts is None or parameters:
            yield Standing(sql)
        else:
            async with self._counts.standing(sql, kept_s, is_urgent) as standing:
                yield standing

    async def _read(self, sql: str) -> list[str]:
        """Ask for one row of texts that is the same whatever the ledger holds."""
        table = read_table(await self._ask(sql, {}, SETTINGS), 1)
        return [str(each) for each in table.rows[0]]

    def _forget(self) -> None:
        """Drop what was asked too long ago, failures at once, and the oldest beyond KEPT_MAX and KEPT_BYTES_MAX."""
        size = 0
        for at, (key, kept) in enumerate(reversed(list(self._kept.items()))):
            done, table = kept.answer.done(), kept.table(SAID_AGAIN_MAX)
            size += 0 if table is None else table.size
            if (done and table is None) or at >= KEPT_MAX or (done and size > KEPT_BYTES_MAX):
                del self._kept[key]
        self._latest = {like: key for like, key in self._latest.items() if key in self._kept}


def kept_s(range_s: float) -> float:
    """Give how long an answer over a range is said again."""
    return max((kept for least, kept in KEPT_LONG_S.items() if range_s >= least), default=KEPT_S)
