"""Asks the alert rules again and again while a ledger is open, keeps how alerts stand, and tells a webhook."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from farebox.errors import FareboxError
from farebox.settings import setting
from farebox_ledger._background import Background
from farebox_ledger.alerts._changes import rules_in_force, webhook_address
from farebox_ledger.alerts._kept import keep, standing, untold
from farebox_ledger.alerts._measure import LAG, measure
from farebox_ledger.alerts._rules import FAST_S, Rule
from farebox_ledger.alerts._states import Key, Standing, advance
from farebox_ledger.alerts._webhook import post
from farebox_ledger.errors import LedgerError

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

__all__ = ["Watch", "Watcher"]

# However long the rules take, they take a fifth of a core at most.
PAUSE_SHARE = 4

_log = logging.getLogger("farebox.alerts")


class Watch:
    """How the alerts of one ledger stand, carried on from where the ledger says they stood."""

    def __init__(self, client: Client, every_s: int = FAST_S) -> None:
        self._client = client
        self._stretch = every_s / FAST_S
        self._rules = {rule.name: rule for rule in rules_in_force()}
        self._standing = {each.measured.key: each for each in standing(client, self._rules)}
        self._due: dict[str, datetime] = {}
        self._warned: dict[str, str] = {}

    def evaluate(self, now: datetime, is_closing: Callable[[], bool] = lambda: False) -> list[Standing]:
        """Ask the rules whose turn it is, keep and tell what changed, and return it."""
        self._take_up_changes()
        changes = []
        for rule in self._rules.values():
            if is_closing():
                break
            if now >= self._due.get(rule.name, now):
                changes += self._changes(rule, now)
                self._due[rule.name] = now + timedelta(seconds=(rule.every_s - FAST_S / 2) * self._stretch)
        self._tell(changes, now)
        return changes

    def _take_up_changes(self) -> None:
        """Read farebox.toml again; one that makes no sense is said once, and what held goes on holding."""
        try:
            self._rules = {rule.name: rule for rule in rules_in_force()}
        except FareboxError as error:
            self._warn("rules", str(error))
        else:
            self._warned.pop("rules", None)

    def _changes(self, rule: Rule, now: datetime) -> list[Standing]:
        before = {key: each for key, each in self._standing.items() if each.measured.rule.name == rule.name}
        try:
            rows = measure(self._client, rule, now - LAG) if rule.on else []
        except LedgerError as error:
            self._warn(rule.name, str(error))
            return []
        self._warned.pop(rule.name, None)
        if not rule.on:
            return [_over(each, now) for each in before.values()]
        return advance(rule, before, rows, now)

    def _tell(self, changes: list[Standing], now: datetime) -> None:
        """Keep, then post what nobody was told yet, then note that it was: a crash tells twice, never not at all."""
        try:
            address = webhook_address()
        except FareboxError as error:
            self._warn("webhook", str(error))
            address = ""
        keep(self._client, changes, told=not address)
        for each in changes:
            self._stand(each)
        news = untold(self._client, self._rules, now) if address else []
        if not news:
            return
        try:
            post(address, news, setting("dashboards_url"))
        except LedgerError as error:
            self._warn("webhook", f"{error}; what is to be told is kept for a day, and tried again")
        else:
            keep(self._client, news, told=True)
            self._warned.pop("webhook", None)

    def _stand(self, each: Standing) -> None:
        key: Key = each.measured.key
        if each.state in ("resolved", "dropped"):
            self._standing.pop(key, None)
        else:
            self._standing[key] = each

    def _warn(self, what: str, words: str) -> None:
        if self._warned.get(what) != words:
            self._warned[what] = words
            _log.warning("Alerts: %s", words)


class Watcher(Background):
    """Evaluates again and again; whoever holds the store has one. It closes its client."""

    def __init__(self, client: Client, every_s: int) -> None:
        self._every_s = every_s
        self._watch: Watch | None = None
        super().__init__(client, "farebox-alerts")

    def _first_pause_s(self) -> float:
        return self._every_s

    def _step(self) -> float:
        began = time.monotonic()
        try:
            self._watch = self._watch or Watch(self._client, self._every_s)
            self._watch.evaluate(datetime.now(UTC), self._closing.is_set)
        except FareboxError as error:
            _log.warning("Alerts are not evaluated: %s", error)
        except Exception:  # noqa: BLE001 -- a thread that ends would leave spikes unseen
            _log.exception("An evaluation of the alerts failed in an unforeseen way")
        took_s = time.monotonic() - began
        return max(self._every_s - took_s, PAUSE_SHARE * took_s)


def _over(each: Standing, now: datetime) -> Standing:
    """End an alert whose rule was switched off."""
    fired = each.state != "pending"
    return Standing(each.measured, "resolved" if fired else "dropped", each.since, now, news=fired)
