"""Brings dashboards, alert rules, their folder and their data source into a Grafana over its HTTP API.

It may be run as often as one likes: what is there already stays untouched, and so does all that farebox did not make.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import urlsplit

from farebox_dashboards._alerts import Placed
from farebox_dashboards._clickhouse import PLUGIN
from farebox_dashboards._contacts import RECEIVER, Contact
from farebox_dashboards._dashboard import TAG, Dashboard
from farebox_dashboards._places import DATASOURCE_UID, FOLDER_TITLE, FOLDER_UID
from farebox_dashboards._push_alerts import Action, AlertPusher
from farebox_dashboards.errors import GrafanaError
from farebox_ledger import Dsn

__all__ = ["Change", "Pusher"]

TIMEOUT_S = 10.0
EXAMPLE = "http://localhost:3000"
# The oldest Grafana that takes the ClickHouse plugin these dashboards ask through.
VERSION_MIN = (11, 6)
NOT_FOUND = 404
# What Grafana adds to a dashboard that it keeps.
KEPT_BY_GRAFANA = ("id", "version", "iteration")


@dataclass(frozen=True)
class Change:
    """What was done with one thing, or would be; `details` are the panels concerned: + new, ~ other, - gone."""

    kind: Literal["folder", "data source", "dashboard", "contact point", "messages", "alert rules"]
    name: str
    action: Action
    details: Sequence[str] = field(default_factory=tuple)


class Pusher:
    """Talks to one Grafana; with `dry_run` it only reads."""

    def __init__(self, url: str, token: str, *, dry_run: bool = False) -> None:
        from grafana_client.api import GrafanaApi

        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise GrafanaError(f"--url {url!r} is no address of a Grafana; write it as {EXAMPLE}")
        self._url = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
        self._dry_run = dry_run
        whole = url if parts.path.endswith("/") or not parts.path else url + "/"  # else the client glues `api` to it
        self._grafana = GrafanaApi.from_url(whole, credential=token, timeout=TIMEOUT_S)

    def push(
        self,
        dashboards: Sequence[Dashboard],
        ledger: Dsn | None = None,
        rules: Sequence[Placed] = (),
        contacts: Sequence[tuple[Contact, str]] = (),
    ) -> list[Change]:
        """Bring folder, dashboards and alert rules in, the data source if `ledger` says where it is, and contact points
        with their addresses; rules go to these where there are any. Returns what became of each.

        Raises:
            GrafanaError: Grafana cannot be reached, is too old, refuses, or holds something else under one of our uids.
        """
        self._check_version()
        changes = [self._folder()]
        if ledger is not None:
            changes.append(self._datasource(ledger))
        changes += [self._dashboard(each) for each in dashboards]
        alerts = AlertPusher(self._grafana, self, FOLDER_UID)
        if contacts:
            changes.append(Change("messages", RECEIVER, *alerts.template()))
        for contact, address in contacts:
            changes.append(Change("contact point", contact.uid, *alerts.contact(contact, address)))
        receiver = RECEIVER if contacts else None
        return changes + [Change("alert rules", *each) for each in alerts.rules(rules, receiver)]

    def _check_version(self) -> None:
        with self.asking("its version"):
            version = self._grafana.version or "0"
        numbers = tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
        if numbers < VERSION_MIN:
            raise GrafanaError(f"the Grafana at {self._url} is {version}; its ClickHouse plugin needs 11.6 or newer")

    def _folder(self) -> Change:
        found = self.found("the folder", lambda: self._grafana.folder.get_folder(FOLDER_UID))
        if found is not None:
            return Change("folder", FOLDER_TITLE, "unchanged")
        self.write("the folder", lambda: self._grafana.folder.create_folder(FOLDER_TITLE, uid=FOLDER_UID))
        return Change("folder", FOLDER_TITLE, "created")

    def _datasource(self, ledger: Dsn) -> Change:
        """Write the data source; a password that is given always, since Grafana does not tell the old one."""
        wanted = datasource(ledger)
        api = self._grafana.datasource
        found = self.found("the data source", lambda: api.get_datasource_by_uid(DATASOURCE_UID))
        if found is None:
            self.write("the data source", lambda: api.create_datasource(wanted))
            return Change("data source", DATASOURCE_UID, "created")
        if found.get("type") != PLUGIN:
            raise GrafanaError(
                f"the data source {DATASOURCE_UID} is of type {found.get('type')}: farebox did not make it; rename it"
            )
        shown = {key: value for key, value in wanted.items() if key != "secureJsonData"}
        if not ledger.password and all(found.get(key) == value for key, value in shown.items()):
            return Change("data source", DATASOURCE_UID, "unchanged")
        self.write("the data source", lambda: api.update_datasource_by_uid(DATASOURCE_UID, wanted))
        return Change("data source", DATASOURCE_UID, "updated")

    def _dashboard(self, each: Dashboard) -> Change:
        wanted = each.as_data()
        found = self.found(each.title, lambda: self._grafana.dashboard.get_dashboard(each.uid))
        held: dict[str, Any] = {} if found is None else found.get("dashboard", {})
        if found is not None and TAG not in held.get("tags", []):
            raise GrafanaError(
                f"the dashboard {each.uid} lacks the tag {TAG}, so farebox did not make it; give it another uid"
            )
        if found is not None and found.get("meta", {}).get("provisioned"):
            raise GrafanaError(f"the dashboard {each.uid} is provisioned from a file; change the file instead")
        details = _differences(held, wanted)
        if found is not None and not details:
            return Change("dashboard", each.uid, "unchanged")
        body = {"dashboard": wanted, "folderUid": FOLDER_UID, "message": "farebox dashboards push", "overwrite": True}
        self.write(each.title, lambda: self._grafana.dashboard.update_dashboard(body))
        return Change("dashboard", each.uid, "created" if found is None else "updated", details)

    def found(self, what: str, get: Callable[[], Any]) -> dict[str, Any] | None:
        """Ask for something; None if Grafana has no such thing."""
        with self.asking(what):
            from grafana_client.client import GrafanaClientError

            try:
                found: dict[str, Any] = get()
            except GrafanaClientError as error:
                if error.status_code == NOT_FOUND:
                    return None
                raise
            return found

    def write(self, what: str, send: Callable[[], Any]) -> None:
        if not self._dry_run:
            with self.asking(what):
                send()

    @contextmanager
    def asking(self, what: str) -> Iterator[None]:
        """Turn what may go wrong between here and Grafana into one sentence."""
        from grafana_client.client import GrafanaException, GrafanaTimeoutError, GrafanaUnauthorizedError
        from niquests.exceptions import RequestException

        try:
            yield
        except GrafanaUnauthorizedError:
            raise GrafanaError(
                f"the Grafana at {self._url} does not know the token; make one for a service account of role Admin"
            ) from None
        except (GrafanaTimeoutError, RequestException, AttributeError) as error:
            why = "it did not answer in time" if isinstance(error, GrafanaTimeoutError) else _words(error)
            raise GrafanaError(f"no Grafana answers at {self._url} ({why}); check --url, or start it") from None
        except GrafanaException as error:
            raise GrafanaError(f"Grafana refuses {what}: {_words(error)}") from None


def datasource(ledger: Dsn) -> dict[str, Any]:
    """Make the data source of a ledger on a ClickHouse server, as Grafana's API takes it.

    Raises:
        GrafanaError: the ledger is a folder, which no Grafana can reach.
    """
    if ledger.kind != "clickhouse":
        raise GrafanaError(f"{ledger} is a folder; give Grafana the server's address, as clickhouse://user@host:8123")
    return {
        "access": "proxy",
        "jsonData": {
            "defaultDatabase": ledger.database,
            "host": ledger.host,
            "port": ledger.port,
            "protocol": "http",
            "secure": ledger.secure,
            "username": ledger.user,
        },
        "name": "farebox",
        "secureJsonData": {"password": ledger.password},
        "type": PLUGIN,
        "uid": DATASOURCE_UID,
    }


def _differences(held: Mapping[str, Any], wanted: Mapping[str, Any]) -> list[str]:
    """Name what differs: panels by their titles, all else as settings."""
    old, new = _by_title(held), _by_title(wanted)
    rest = [{key: one[key] for key in one if key not in ("panels", *KEPT_BY_GRAFANA)} for one in (held, wanted)]
    return [
        *(f"+ {title}" for title in new if title not in old),
        *(f"~ {title}" for title in new if title in old and old[title] != new[title]),
        *(f"- {title}" for title in old if title not in new),
        *(["~ settings"] if held and rest[0] != rest[1] else []),
    ]


def _by_title(dashboard: Mapping[str, Any]) -> dict[str, str]:
    return {
        each.get("title", ""): json.dumps(each, sort_keys=True)
        for each in dashboard.get("panels", [])
        if each.get("type") != "row"
    }


def _words(error: Exception) -> str:
    words = " ".join(str(error).split())
    if "refused" in words.lower():
        return "connection refused"
    return words if len(words) <= 200 else words[:200] + " …"
