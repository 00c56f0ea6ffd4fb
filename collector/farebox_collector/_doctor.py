"""What `farebox doctor` looks at in the collector: does `farebox up` run here, and can it write and store?"""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPException
from typing import Any

from farebox.checks import Finding, State, Visit
from farebox.settings import setting
from farebox_ledger import Dsn, parse_dsn, running

__all__ = ["check"]

TIMEOUT_S = 2.0
JOURNAL_AGE_S_MAX = 60.0


def check(visit: Visit) -> Iterator[Finding]:
    """Look at the `farebox up` that holds the ledger's folder; a server's ledger has its collector anywhere."""
    dsn = parse_dsn(setting("dsn", visit.dsn))
    if dsn.kind != "chdb":
        yield Finding("collector", State.SKIPPED, "the ledger is on a server: its collector may run anywhere")
        return
    up = running(dsn)
    if up is None:
        yield Finding(
            "collector",
            State.LOOK,
            f"no `farebox up` holds {dsn.folder}",
            "start `farebox up`, unless a collector elsewhere is meant",
        )
        return
    yield from _health(dsn, up.pid, up.otlp_port)


def _health(dsn: Dsn, pid: int, port: int) -> Iterator[Finding]:
    try:
        status, ready = _get(port, "/readyz")
        _, health = _get(port, "/healthz")
    except (OSError, HTTPException, ValueError) as error:
        yield Finding("collector", State.WRONG, f"process {pid} does not answer on port {port}: {error}", "restart it")
        return
    if status != 200:
        yield Finding("collector", State.WRONG, f"process {pid} is failing: {ready.get('reason')}", "mend the cause")
    else:
        yield Finding("collector", State.FINE, f"process {pid} takes OTLP on port {port} for {dsn.folder}")
    counts, gauges = health.get("counts", {}), health.get("gauges", {})
    age_s = float(gauges.get("journal_age_s", 0))
    waiting = f"{gauges.get('journal_bytes', 0):,.0f} bytes acknowledged and not stored yet, for {age_s:.0f} s"
    if age_s > JOURNAL_AGE_S_MAX:
        yield Finding("journal", State.WRONG, waiting, "look at the log of `farebox up`")
    else:
        yield Finding("journal", State.FINE, waiting)
    lost = {name: count for name, count in counts.items() if name.startswith("quarantined") and count}
    if lost:
        yield Finding("quarantine", State.LOOK, f"set aside: {lost}", "look into the folder quarantine of the journal")


def _get(port: int, path: str) -> tuple[int, dict[str, Any]]:
    connection = HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_S)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()
