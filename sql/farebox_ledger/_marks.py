"""Marks on the axis of time: a deployment, an incident, a new prompt. Dashboards show them beside what changed."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from farebox import semconv
from farebox_ledger._actions import perform
from farebox_ledger._dsn import Dsn
from farebox_ledger.errors import LedgerError

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

__all__ = ["Mark", "annotate", "annotate_as_asked", "send", "span_of"]

TEXT_CHARACTERS_MAX, NAME_CHARACTERS_MAX = 1000, 128
EARLIEST, LATEST = datetime(2020, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
COLUMNS = ("at", "received_at", "kind", "text", "route", "who", "service", "trace_id", "span_id")
SERVICE = "farebox annotate"
TIMEOUT_S = 10.0


@dataclass(frozen=True)
class Mark:
    """One mark; route: the route it is about, empty for all. Raises LedgerError for what cannot be one."""

    text: str
    at: datetime
    kind: str = "deploy"
    route: str = ""
    who: str = ""

    def __post_init__(self) -> None:
        if not self.text.strip() or len(self.text) > TEXT_CHARACTERS_MAX:
            raise LedgerError(f"the text {self.text[:40]!r} is no mark; write 1 to {TEXT_CHARACTERS_MAX} characters")
        for name, value in (("--tag", self.kind), ("--route", self.route), ("--who", self.who)):
            if len(value) > NAME_CHARACTERS_MAX:
                raise LedgerError(f"{name} {value[:40]!r}… is too long; write {NAME_CHARACTERS_MAX} characters at most")
        if not EARLIEST <= self.at < LATEST:
            raise LedgerError(f"--at {self.at:%Y-%m-%d} cannot be; choose a moment from 2020 to 2099")


def annotate(dsn: Dsn, mark: Mark) -> None:
    """Keep a mark in a ledger, whoever holds it. Its ids are made here, so that a repeated request is one mark.

    Raises:
        LedgerError: the ledger cannot be reached.
    """
    ids = {"trace_id": secrets.token_hex(16), "span_id": secrets.token_hex(8)}
    perform(dsn, "annotate", {**vars(mark), "at": mark.at.isoformat(), **ids})


def annotate_as_asked(client: Client, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Carry out the action `annotate`."""
    moment = datetime.fromisoformat(asked["at"])
    mark = Mark(asked["text"], moment, asked["kind"], asked["route"], asked["who"])
    ids = [bytes.fromhex(asked["trace_id"]), bytes.fromhex(asked["span_id"])]
    row = [mark.at, datetime.now(UTC), mark.kind, mark.text, mark.route, mark.who, SERVICE, *ids]
    client.insert("annotations", [row], column_names=COLUMNS)
    return {"at": asked["at"]}


def send(endpoint: str, mark: Mark) -> None:
    """Send a mark as a span to whoever receives OTLP over HTTP, for machines that do not reach the ledger.

    Raises:
        LedgerError: nobody took it.
    """
    import requests

    url = endpoint.rstrip("/") + "/v1/traces"
    try:
        answer = requests.post(url, json=span_of(mark), timeout=TIMEOUT_S)
    except requests.RequestException as error:
        raise LedgerError(f"nobody takes OTLP at {url} ({type(error).__name__}); correct --otlp") from None
    if not answer.ok:
        raise LedgerError(f"{url} answers {answer.status_code}; --otlp takes the address of an OTLP/HTTP receiver")


def span_of(mark: Mark) -> dict[str, Any]:
    """Lay a mark out as an OTLP request in JSON."""
    attributes = {
        semconv.ANNOTATION_KIND: mark.kind,
        semconv.ANNOTATION_TEXT: mark.text,
        semconv.ANNOTATION_WHO: mark.who,
        semconv.ROUTE: mark.route,
    }
    moment = str(int(mark.at.timestamp() * 1_000_000) * 1000)
    span = {
        "traceId": secrets.token_hex(16),
        "spanId": secrets.token_hex(8),
        "name": semconv.ANNOTATION_SPAN,
        "kind": 1,
        "startTimeUnixNano": moment,
        "endTimeUnixNano": moment,
        "attributes": _attributes({name: value for name, value in attributes.items() if value}),
    }
    scope = {"scope": {"name": semconv.SCOPE}, "spans": [span]}
    resource = {"attributes": _attributes({"service.name": SERVICE})}
    return {"resourceSpans": [{"resource": resource, "scopeSpans": [scope]}]}


def _attributes(values: Mapping[str, str]) -> list[dict[str, Any]]:
    return [{"key": name, "value": {"stringValue": value}} for name, value in values.items()]
