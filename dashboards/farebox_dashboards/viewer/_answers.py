"""Puts questions to the ledger: within limits, a few at a time, and equal ones of several viewers once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from farebox_dashboards.viewer._frames import Table, read_table
from farebox_dashboards.viewer.errors import AnswerError, BusyError
from farebox_ledger import LedgerError

__all__ = ["ROWS_MAX", "Answers", "Ask", "kept_s"]

ROWS_MAX = 5000
ASKED_AT_ONCE_MAX = 2
WAITING_MAX = 400
# Several browsers on one dashboard ask the same within moments: the page takes "now" in steps of 5 s and more for it.
# Of a long range an answer is kept for as long as a step (time.ts); the page says how old it is.
KEPT_S = 15.0
KEPT_LONG_S = {12 * 3600: 30.0, 48 * 3600: 60.0}
KEPT_MAX = 256
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
    until: float
    waiters: int = 0

    def leave(self) -> bool:
        """Take one who waits away; True if nobody is left and the ledger need not be asked any more."""
        self.waiters -= 1
        return not self.waiters and not self.begun.is_set() and self.answer.cancel()


class Answers:
    """Asks for all browsers; used on one event loop."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._turns = asyncio.Semaphore(ASKED_AT_ONCE_MAX)
        self._waiting = 0
        self._kept: dict[tuple[str, ...], _Kept] = {}

    async def table(
        self, sql: str, parameters: Mapping[str, str] | None = None, *, exact: bool = False, kept_s: float = KEPT_S
    ) -> Table:
        """Answer a statement, or say again what was answered in the last `kept_s`; the first ROWS_MAX rows of it.

        Raises:
            AnswerError: ClickHouse does not answer; its words, and the statement.
            BusyError: too many questions wait.
        """
        given = dict(parameters or {})
        key = (sql, str(exact), *(f"{name}={value}" for name, value in sorted(given.items())))
        self._forget()
        kept = self._kept.get(key)
        if kept is None:
            if self._waiting >= WAITING_MAX:
                raise BusyError(f"{self._waiting} questions wait already; try again in a moment")
            begun = asyncio.Event()
            answer = asyncio.create_task(self._answer(begun, sql, given, exact=exact))
            kept = self._kept[key] = _Kept(answer, begun, time.monotonic() + kept_s)
        kept.waiters += 1
        try:
            # Whoever asked first may leave; the others still want the answer.
            return await asyncio.shield(kept.answer)
        finally:
            if kept.leave():
                self._kept.pop(key, None)

    async def _answer(self, begun: asyncio.Event, sql: str, parameters: Mapping[str, str], *, exact: bool) -> Table:
        self._waiting += 1
        try:
            async with self._turns:
                begun.set()
                asked_at = time.monotonic()
                answer = await self._ask(sql, parameters, SETTINGS)
        except LedgerError as error:
            raise AnswerError(str(error), sql) from None
        finally:
            self._waiting -= 1
        return replace(read_table(answer, ROWS_MAX, exact=exact), size=len(answer), asked_at=asked_at)

    def _forget(self) -> None:
        """Drop what was asked too long ago, failures at once, and the oldest beyond KEPT_MAX and KEPT_BYTES_MAX."""
        now, size = time.monotonic(), 0
        for at, (key, kept) in enumerate(reversed(list(self._kept.items()))):
            done = kept.answer.done()
            if done and (kept.until < now or kept.answer.cancelled() or kept.answer.exception() is not None):
                del self._kept[key]
                continue
            size += kept.answer.result().size if done else 0
            if at >= KEPT_MAX or (done and size > KEPT_BYTES_MAX):
                del self._kept[key]


def kept_s(range_s: float) -> float:
    """Give how long an answer over a range is said again."""
    return max((kept for least, kept in KEPT_LONG_S.items() if range_s >= least), default=KEPT_S)
