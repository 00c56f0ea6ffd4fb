"""Brings alert rules and contact points into a Grafana; what farebox did not make is never touched.

They are written so that people may go on editing them in Grafana; the next push makes them farebox's again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Literal, Protocol

from farebox_dashboards._alerts import UID_PREFIX, Placed, groups
from farebox_dashboards._contacts import RECEIVER, TEMPLATE, Contact
from farebox_dashboards.errors import GrafanaError

__all__ = ["Action", "AlertPusher", "Asking"]

# Grafana shows this in the place of a secret.
REDACTED = "[REDACTED]"
# What the HTTP API calls otherwise than the files.
RENAMED = {"keepFiringFor": "keep_firing_for"}
UNITS = {"s": 1, "m": 60}


Action = Literal["created", "updated", "unchanged"]


class Asking(Protocol):
    """What a push offers to whoever asks Grafana for something."""

    def asking(self, what: str) -> AbstractContextManager[None]:
        """Turn what may go wrong into one sentence."""

    def found(self, what: str, get: Callable[[], Any]) -> dict[str, Any] | None:
        """Ask for something; None if Grafana has no such thing."""

    def write(self, what: str, send: Callable[[], Any]) -> None:
        """Send something, unless nothing is to be changed."""


class AlertPusher:
    """Pushes rules and contact points; each method says what was done, and what differed."""

    def __init__(self, grafana: Any, push: Asking, folder_uid: str) -> None:
        self._api = grafana.alertingprovisioning
        self._push = push
        self._folder_uid = folder_uid

    def contact(self, contact: Contact, address: str) -> tuple[Action, list[str]]:
        """Write one contact point; a secret address always, since Grafana does not tell the old one.

        Raises:
            GrafanaError: somebody else's contact point has its uid.
        """
        wanted = {**contact.as_data(address), "name": RECEIVER}
        with self._push.asking("the contact points"):
            held = next((each for each in self._api.get_contactpoints() if each.get("uid") == contact.uid), None)
        if held is None:
            self._push.write(contact.uid, lambda: self._api.create_contactpoint(wanted, disable_provenance=True))
            return "created", []
        if held.get("name") != RECEIVER or held.get("type") != contact.kind:
            raise GrafanaError(
                f"the contact point {contact.uid} is called {held.get('name')!r}: farebox did not make it; rename it"
            )
        _refuse_provisioned(held, f"the contact point {contact.uid}")
        hidden = contact.secret and held.get("settings", {}).get(contact.address) == REDACTED
        seen = {**wanted, "settings": {**wanted["settings"], contact.address: REDACTED}} if hidden else wanted
        details = [
            f"~ {name}"
            for name in seen["settings"]
            if not _covers(held.get("settings", {}).get(name), seen["settings"][name])
        ]
        if not details and not hidden:
            return "unchanged", []
        self._push.write(
            contact.uid, lambda: self._api.update_contactpoint(contact.uid, wanted, disable_provenance=True)
        )
        return "updated", details or [f"~ {contact.address} (Grafana does not tell the old one)"]

    def template(self) -> tuple[Action, list[str]]:
        """Write the words of the messages."""
        held = self._push.found("the messages", lambda: self._api.get_template(RECEIVER))
        if held is not None and held.get("template", "").strip() == TEMPLATE.strip():
            return "unchanged", []
        if held is not None:
            _refuse_provisioned(held, f"the notification template {RECEIVER}")
        self._push.write(
            "the messages",
            lambda: self._api.create_or_update_template(RECEIVER, {"template": TEMPLATE}, disable_provenance=True),
        )
        return ("created" if held is None else "updated"), []

    def rules(self, placed: Sequence[Placed], receiver: str | None) -> list[tuple[str, Action, list[str]]]:
        """Write the groups of rules; each with its name, what was done, and the rules concerned.

        Raises:
            GrafanaError: a group holds rules of somebody else, or comes from a file.
        """
        return [self._group(group) for group in groups(placed, receiver)]

    def _group(self, group: dict[str, Any]) -> tuple[str, Action, list[str]]:
        name = group["name"]
        wanted = {
            "title": name,
            "folderUid": self._folder_uid,
            "interval": int(group["interval"][:-1]) * UNITS[group["interval"][-1]],
            "rules": [self._rule(rule, name) for rule in group["rules"]],
        }
        held = self._push.found("the alert rules", lambda: self._api.get_rule_group(self._folder_uid, name))
        rules = {} if held is None else {each.get("uid", ""): each for each in held.get("rules", [])}
        for uid, each in rules.items():
            if not uid.startswith(UID_PREFIX) or each.get("labels", {}).get("source") != "farebox":
                raise GrafanaError(
                    f"the group {name} holds the rule {each.get('title')!r}, which farebox did not make; move it to "
                    "another group"
                )
            _refuse_provisioned(each, f"the alert rule {uid}")
        new = {each["uid"]: each for each in wanted["rules"]}
        details = [
            *(f"+ {each['title']}" for uid, each in new.items() if uid not in rules),
            *(f"~ {each['title']}" for uid, each in new.items() if uid in rules and not _covers(rules[uid], each)),
            *(f"- {each.get('title')}" for uid, each in rules.items() if uid not in new),
            *(["~ settings"] if held is not None and held.get("interval") != wanted["interval"] else []),
        ]
        if held is not None and not details:
            return name, "unchanged", []
        self._push.write(
            "the alert rules",
            lambda: self._api.update_rule_group(self._folder_uid, name, wanted, disable_provenance=True),
        )
        return name, "created" if not rules else "updated", details

    def _rule(self, rule: Mapping[str, Any], group: str) -> dict[str, Any]:
        named = {RENAMED.get(name, name): value for name, value in rule.items()}
        return {**named, "folderUID": self._folder_uid, "ruleGroup": group, "orgID": 1}


def _refuse_provisioned(held: Mapping[str, Any], what: str) -> None:
    if held.get("provenance") == "file":
        raise GrafanaError(f"{what} is provisioned from a file; change the file instead")


def _covers(held: Any, wanted: Any) -> bool:
    """Say whether what Grafana holds is what is wanted, whatever else it adds of its own."""
    if isinstance(wanted, Mapping):
        return isinstance(held, Mapping) and all(_covers(held.get(name), value) for name, value in wanted.items())
    if isinstance(wanted, list):
        return isinstance(held, list) and len(held) == len(wanted) and all(map(_covers, held, wanted))
    same: bool = held == wanted
    return same
