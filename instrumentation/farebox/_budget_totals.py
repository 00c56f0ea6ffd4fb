"""What is spent of each budget, as the collector said last: asked in the background, never by who makes a call."""

from __future__ import annotations

import logging
import os
import threading
import time
import weakref
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from farebox._guard import swallow
from farebox._otlp_http import OtlpHttp

__all__ = ["Spent", "Totals", "totals"]

_log = logging.getLogger("farebox")

PATH = "/v1/budgets"
# What a call can be judged by, beside tag.<name>.
JUDGED = frozenset({"route", "tenant", "user_id", "key_fingerprint"})
# So many missed answers, and nothing is known any more.
ANSWERS_MISSED_MAX = 3
FIRST_WAIT_S = 2.0
PAUSE_S_MIN = 0.05
TELL_EVERY_S = 60.0


@dataclass(frozen=True)
class Spent:
    """A budget of which nothing is left, in USD; until `ends_at`, seconds since 1970 UTC."""

    name: str
    applies_to: Mapping[str, str]
    amount: Decimal
    spend: Decimal
    period_end: datetime
    ends_at: float


class Totals:
    """Asks the collector every few seconds, for as long as some guard wants to know.

    exhausted: the budgets of which nothing is left. answered_at: when that was said, monotonic seconds; None: never.
    """

    def __init__(self) -> None:
        self.exhausted: Sequence[Spent] = ()
        self.answered_at: float | None = None
        self.every_s = float("inf")
        self._guards: weakref.WeakSet[Any] = weakref.WeakSet()
        self._told_at = -TELL_EVERY_S
        self._not_judged: set[str] = set()
        self.after_fork()

    def after_fork(self) -> None:
        """Start without a thread and a connection; what was known is still so."""
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()
        self._connection: OtlpHttp | None = None
        self._first, self._wake = threading.Event(), threading.Event()

    def watch(self, guard: Any, every_s: float) -> None:
        """Keep asking at least so often while the guard is there."""
        self._guards.add(guard)
        if every_s < self.every_s:
            self.every_s = every_s
            self._wake.set()
        self.start()

    def start(self) -> None:
        """See to it that somebody asks."""
        if self._thread is None:
            with self._starting:
                if self._thread is None:
                    self._thread = threading.Thread(target=self._run, name="farebox-budgets", daemon=True)
                    self._thread.start()

    @property
    def asked(self) -> bool:
        """Whether a thread asks in this process; a forked child begins without."""
        return self._thread is not None

    def known(self) -> bool:
        """Whether the last answer is recent enough."""
        answered_at = self.answered_at
        return answered_at is not None and time.monotonic() - answered_at <= ANSWERS_MISSED_MAX * self.every_s

    def wait(self) -> None:
        """Wait for the first answer, FIRST_WAIT_S at most."""
        self._first.wait(FIRST_WAIT_S)

    def _run(self) -> None:
        while self._guards:
            began = time.monotonic()
            try:
                self._ask()
            except Exception as error:  # noqa: BLE001
                self._tell(f"{type(error).__name__}: {error}")
            self._first.set()
            self._wake.wait(max(self.every_s - (time.monotonic() - began), PAUSE_S_MIN))
            self._wake.clear()
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
        self._thread = None

    def _ask(self) -> None:
        if self._connection is None:
            self._connection = OtlpHttp.from_environment()
        answer = self._connection.get_json(PATH)
        self.exhausted = tuple(_spent(each) for each in answer["budgets"] if self._counts(each))
        self.answered_at = time.monotonic()

    def _counts(self, budget: Mapping[str, Any]) -> bool:
        """Tell whether a budget is spent and a call can be judged by it."""
        if budget["state"] != "exhausted":
            return False
        others = [key for key in budget["applies_to"] if key not in JUDGED and not key.startswith("tag.")]
        if others and budget["name"] not in self._not_judged:
            self._not_judged.add(budget["name"])
            _log.warning(
                "the budget %r is spent, but it is for a %s, which a call does not show before it is made: it is not "
                "enforced in this process",
                budget["name"],
                others[0],
            )
        return not others

    def _tell(self, why: str) -> None:
        if time.monotonic() - self._told_at >= TELL_EVERY_S:
            self._told_at = time.monotonic()
            _log.warning("the ledger cannot be asked what is spent of budgets (%s); it is tried again", why)


def _spent(budget: Mapping[str, Any]) -> Spent:
    period_end = datetime.fromisoformat(budget["period_end"])
    return Spent(
        budget["name"],
        dict(budget["applies_to"]),
        Decimal(budget["amount"]),
        Decimal(budget["spend"]),
        period_end,
        period_end.timestamp(),
    )


_totals: Totals | None = None
_making = threading.Lock()


def totals() -> Totals:
    """Return what this process knows of budgets."""
    global _totals
    with _making:
        if _totals is None:
            _totals = Totals()
        return _totals


def _forget_thread() -> None:
    global _making
    _making = threading.Lock()
    if _totals is not None:
        try:
            _totals.after_fork()
        except Exception as error:  # noqa: BLE001
            swallow("forking", error)


os.register_at_fork(after_in_child=_forget_thread)
