"""Reads `[alerts]` of farebox.toml: thresholds of one's own, rules that are switched off, and who is told.

[alerts]
webhook = "https://example.com/hook"     # FAREBOX_ALERT_WEBHOOK goes before it
off = ["new-name"]                       # names of rules, or "all"

[alerts.spend-spike]
above = 8                                # also until_below, pending_s, keep_firing_s, severity
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from farebox.settings import setting
from farebox_ledger.alerts._catalogue import RULES
from farebox_ledger.alerts._rules import Rule
from farebox_ledger.errors import LedgerError

__all__ = ["rules_in_force", "webhook_address"]

TOML_FILE = "farebox.toml"
ALL = "all"
NUMBERS, SECONDS = ("above", "until_below"), ("pending_s", "keep_firing_s")
SEVERITIES = ("page", "ticket")


def rules_in_force(path: Path | None = None) -> list[Rule]:
    """Give the rules as the user wants them; those that are off are among them, and say so.

    Raises:
        LedgerError: an entry makes no sense; names it, the value and what is allowed.
    """
    path = path or Path(TOML_FILE)
    entries = _entries(path)
    known = [rule.name for rule in RULES]
    off = entries.get("off", [])
    if not isinstance(off, list):
        raise LedgerError(f"{path}: alerts.off is {off!r}; write a list of rules' names")
    changes = {name: value for name, value in entries.items() if name not in ("off", "webhook")}
    for name in [*off, *changes]:
        if name not in known and not (name in off and name == ALL):
            raise LedgerError(
                f"{path}: [alerts] names {name!r}, which is no rule; there are {', '.join(sorted(known))}"
            )
    return [
        replace(
            _changed(rule, changes.get(rule.name, {}), path), on=rule.on and rule.name not in off and ALL not in off
        )
        for rule in RULES
    ]


def webhook_address(path: Path | None = None) -> str:
    """Say where alerts are posted to; empty: nowhere."""
    path = path or Path(TOML_FILE)
    given = setting("alert_webhook") or _entries(path).get("webhook", "")
    if given and not str(given).startswith(("http://", "https://")):
        raise LedgerError(f"the alerts' webhook {given!r} is no address; write it as https://example.com/hook")
    return str(given)


def _entries(path: Path) -> Mapping[str, Any]:
    if not path.exists():
        return {}
    try:
        entries = tomllib.loads(path.read_text(encoding="utf-8")).get("alerts", {})
    except (OSError, ValueError) as error:
        raise LedgerError(f"{path} cannot be read as TOML: {error}; mend or remove it") from None
    if not isinstance(entries, dict):
        raise LedgerError(f"{path}: alerts is no table; write [alerts]")
    return entries


def _changed(rule: Rule, change: Any, path: Path) -> Rule:
    if not isinstance(change, dict):
        raise LedgerError(f"{path}: alerts.{rule.name} is {change!r}; write a table [alerts.{rule.name}]")
    for name, value in change.items():
        where = f"{path}: [alerts.{rule.name}] {name} = {value!r}"
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if name not in (*NUMBERS, *SECONDS, "severity"):
            raise LedgerError(f"{where}: allowed are {', '.join((*NUMBERS, *SECONDS, 'severity'))}")
        if name in NUMBERS and not number:
            raise LedgerError(f"{where} is no number")
        if name in SECONDS and not (isinstance(value, int) and number and value >= 0):
            raise LedgerError(f"{where} is no number of seconds")
        if name == "severity" and value not in SEVERITIES:
            raise LedgerError(f"{where}: allowed are {' and '.join(SEVERITIES)}")
    changed = replace(rule, **change)
    if changed.until_below is not None and changed.until_below > changed.above:
        raise LedgerError(
            f"{path}: [alerts.{rule.name}] until_below {changed.until_below:g} is over above {changed.above:g}"
        )
    return changed
