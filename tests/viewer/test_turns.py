"""Who waits comes first, and what nobody waits for is done one at a time."""

from __future__ import annotations

import asyncio

from farebox_dashboards.viewer._turns import Turns


async def moments() -> None:
    """Let whatever can go on do so."""
    for _ in range(10):
        await asyncio.sleep(0)


class Errand:
    """Something to do in a turn, until it is told to end."""

    def __init__(self, turns: Turns, log: list[str], name: str, *, urgent: bool) -> None:
        self.urgent = urgent
        self.ends = asyncio.Event()
        self.task = asyncio.create_task(self._run(turns, log, name))

    async def _run(self, turns: Turns, log: list[str], name: str) -> None:
        async with turns.turn(lambda: self.urgent):
            log.append(name)
            await self.ends.wait()


def test_who_waits_comes_first() -> None:
    """Urgent errands take turns before others that came earlier; of the others one is under way at most."""

    async def act() -> list[str]:
        log: list[str] = []
        turns = Turns(2)
        spare, later, urgent, last = (
            Errand(turns, log, name, urgent=name.startswith("u")) for name in ("s1", "s2", "u1", "u2")
        )
        await moments()
        assert log == ["s1", "u1"]
        spare.ends.set()
        await moments()
        assert log == ["s1", "u1", "u2"]
        for each in (urgent, last, later):
            each.ends.set()
        await moments()
        return log

    assert asyncio.run(act()) == ["s1", "u1", "u2", "s2"]


def test_an_errand_may_become_urgent() -> None:
    """Once somebody waits for it, it need not wait for another that nobody waits for."""

    async def act() -> list[str]:
        log: list[str] = []
        turns = Turns(2)
        first, second = (Errand(turns, log, name, urgent=False) for name in ("s1", "s2"))
        await moments()
        assert log == ["s1"]
        second.urgent = True
        turns.stir()
        await moments()
        for each in (first, second):
            each.ends.set()
        await moments()
        return log

    assert asyncio.run(act()) == ["s1", "s2"]


def test_who_goes_away_leaves_its_turn() -> None:
    """Cancelled while it waits, or in its turn, or between the two, an errand keeps no turn."""

    async def act() -> list[str]:
        log: list[str] = []
        turns = Turns(1)
        first, second = (Errand(turns, log, name, urgent=True) for name in ("u1", "u2"))
        await moments()
        second.task.cancel()
        await moments()
        third = Errand(turns, log, "u3", urgent=True)
        await moments()
        first.task.cancel()
        await asyncio.sleep(0)  # the turn is the third's now, and it has not begun
        third.task.cancel()
        await moments()
        Errand(turns, log, "u4", urgent=True).ends.set()
        await moments()
        return log

    log = asyncio.run(act())
    assert (log[0], log[-1]) == ("u1", "u4")
    assert "u2" not in log
