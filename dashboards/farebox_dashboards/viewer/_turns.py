"""Lets a few things be done at once: first what somebody waits for, and of the rest one at a time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

__all__ = ["Turns"]


@dataclass(eq=False)
class _Waiting:
    """Who waits for a turn."""

    is_urgent: Callable[[], bool]
    turn: asyncio.Future[bool]


class Turns:
    """Gives turns to whoever waits, in their order; used on one event loop."""

    def __init__(self, most: int) -> None:
        """Make one that lets `most` have their turns at once, and one at most that nobody waits for."""
        self._most = most
        self._waiting: list[_Waiting] = []
        self._urgent = 0
        self._spare = 0

    @asynccontextmanager
    async def turn(self, is_urgent: Callable[[], bool]) -> AsyncIterator[None]:
        """Wait for a turn, and have it; `is_urgent` may change its mind, `stir` says so."""
        waiting = _Waiting(is_urgent, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        self.stir()
        try:
            taken_as_urgent = await asyncio.shield(waiting.turn)
        except asyncio.CancelledError:
            if waiting.turn.done():
                self._leave(urgent=waiting.turn.result())
            else:
                self._waiting.remove(waiting)
            raise
        try:
            yield
        finally:
            self._leave(urgent=taken_as_urgent)

    def stir(self) -> None:
        """Give the turns that there are."""
        for urgent in (True, False):
            for each in [each for each in self._waiting if each.is_urgent() == urgent]:
                if self._urgent + self._spare >= self._most or (not urgent and self._spare):
                    break
                self._waiting.remove(each)
                self._take(1, urgent=urgent)
                each.turn.set_result(urgent)

    def _leave(self, *, urgent: bool) -> None:
        self._take(-1, urgent=urgent)
        self.stir()

    def _take(self, turns: int, *, urgent: bool) -> None:
        if urgent:
            self._urgent += turns
        else:
            self._spare += turns
