"""Posts alerts to a webhook, as JSON that programs know from Alertmanager and Grafana, with a text that chats show."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from farebox_ledger.alerts._states import Standing
from farebox_ledger.errors import LedgerError

__all__ = ["message", "post"]

TIMEOUT_S = (3.0, 10.0)
NOT_OVER = "0001-01-01T00:00:00Z"


def post(address: str, changes: Sequence[Standing], base: str) -> None:
    """Tell of changes in one request; links lead under `base`.

    Raises:
        LedgerError: nobody took it; says why, without the address, which may hold a secret.
    """
    import requests

    try:
        answer = requests.post(address, json=message(changes, base), timeout=TIMEOUT_S, allow_redirects=False)
    except requests.RequestException as error:
        why = "no answer in time" if isinstance(error, requests.Timeout) else "no connection"
        raise LedgerError(f"the alerts' webhook at {urlsplit(address).hostname} does not answer ({why})") from None
    if not answer.ok or answer.is_redirect:
        raise LedgerError(f"the alerts' webhook at {urlsplit(address).hostname} answers {answer.status_code}")


def message(changes: Sequence[Standing], base: str) -> dict[str, Any]:
    """Lay changes out: `text` for chats (Slack, Mattermost), `alerts` for programs."""
    firing = sum(each.state == "firing" for each in changes)
    lines = [_line(each, base) for each in changes]
    return {
        "version": "1",
        "receiver": "farebox",
        "status": "firing" if firing else "resolved",
        "title": f"farebox: {firing} firing, {len(changes) - firing} resolved",
        "text": "\n".join(lines),
        "alerts": [_alert(each, base) for each in changes],
    }


def _line(each: Standing, base: str) -> str:
    if each.state != "firing":
        return f"Resolved: {each.measured.summary}"
    return f"{each.measured.summary}. {each.measured.description} {each.measured.link(base)}"


def _alert(each: Standing, base: str) -> dict[str, Any]:
    found = each.measured
    return {
        "status": "firing" if each.state == "firing" else "resolved",
        "labels": {
            "alertname": found.rule.title,
            "rule": found.rule.name,
            "severity": found.rule.severity,
            "source": "farebox",
            **found.labels,
        },
        "annotations": {"summary": found.summary, "description": found.description},
        "values": {"value": found.value, **found.facts},
        "startsAt": _moment(each.since),
        "endsAt": NOT_OVER if each.state == "firing" else _moment(each.at),
        "dashboardURL": found.link(base),
        "fingerprint": hashlib.sha256("\0".join(found.key).encode()).hexdigest()[:16],
    }


def _moment(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
