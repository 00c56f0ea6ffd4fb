"""What `farebox doctor` asks of each room: a function in the entry-point group `farebox.checks`.

The rooms are asked in the order of the names of their entry points, which is the way of a call: application, collector,
ledger. A room whose extra is missing is skipped, and said to be.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

__all__ = ["Check", "Finding", "State", "Visit"]


class State(StrEnum):
    """How one thing is; only `wrong` makes the command's answer bad news."""

    FINE = "fine"
    LOOK = "look"
    WRONG = "wrong"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line: what was looked at, how it is, and how to mend it ("": nothing to mend)."""

    what: str
    state: State
    sentence: str
    remedy: str = ""


@dataclass(slots=True)
class Visit:
    """What one visit hands from room to room.

    dsn: the ledger's address as an argument gave it. task: the tag `task` of the test call; "" where none was made, or
    the collector did not take it. called_at: when it was made, by this machine's clock.
    """

    dsn: str | None = None
    task: str = ""
    called_at: datetime | None = None


Check = Callable[[Visit], Iterator[Finding]]
