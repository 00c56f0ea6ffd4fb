"""What `farebox doctor` looks at in the ledger: can it be read, is it current, and did the test call arrive?"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from farebox.checks import Finding, State, Visit
from farebox.settings import setting
from farebox_ledger._dsn import Dsn, parse_dsn
from farebox_ledger._migrate import migrations
from farebox_ledger._prices import list_providers
from farebox_ledger._query import run_query
from farebox_ledger._store import connect, open_reader
from farebox_ledger.errors import LedgerError, clickhouse_words

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

__all__ = ["check"]

ARRIVAL_S = 2.0
POLL_S = 0.05
FREE_BYTES_MIN = 1024**3
SKEW_S_MAX = 2.0
BOOK_AGE_DAYS_MAX = 45
SEEN_FOR = timedelta(days=7)


def check(visit: Visit) -> Iterator[Finding]:
    """Open the ledger as a report does, and look around."""
    dsn = parse_dsn(setting("dsn", visit.dsn))
    try:
        with open_reader(dsn) as client:
            server = f"ClickHouse {client.command('SELECT version()')}"
            sentence = f"{dsn} answers ({server}), its schema is current ({migrations()[-1].number})"
            yield Finding("ledger", State.FINE, sentence)
            yield _writable(dsn)
            yield from _room(dsn)
            yield _clock(client)
            yield _test_call(client, visit)
            yield _book(client)
            yield _unpriced(client)
    except LedgerError as error:
        yield Finding("ledger", State.WRONG, str(error))


def _writable(dsn: Dsn) -> Finding:
    """Tell whether what keeps the ledger could, as this user: its folder, or the server's rights."""
    from clickhouse_connect.driver.exceptions import ClickHouseError

    if dsn.kind == "chdb":
        if os.access(dsn.folder, os.W_OK | os.X_OK):
            return Finding("store", State.FINE, f"this user can write {dsn.folder}")
        remedy = "only its owner can start `farebox up` there, or change the ledger"
        return Finding("store", State.LOOK, f"this user cannot write {dsn.folder}", remedy)
    try:
        with connect(dsn, dsn.database) as writer:  # reports' own connection may not, whoever asks
            may = int(writer.query("CHECK GRANT INSERT ON otel_traces").result_rows[0][0])
    except ClickHouseError as error:
        return Finding("store", State.LOOK, f"nobody can tell whether it can be written: {clickhouse_words(error)}")
    if may:
        return Finding("store", State.FINE, "the server's user may write it")
    remedy = "fine for reports; `farebox up` and a collector need a user with INSERT"
    return Finding("store", State.LOOK, "the server's user may only read it", remedy)


def _room(dsn: Dsn) -> Iterator[Finding]:
    if dsn.kind == "chdb":
        free = shutil.disk_usage(dsn.folder).free
        found = f"{free / 1e9:,.1f} GB free for {dsn.folder}"
        if free < FREE_BYTES_MIN:
            yield Finding("disk", State.WRONG, found, "make room: a full disk stops the collector from taking spans")
        else:
            yield Finding("disk", State.FINE, found)


def _clock(client: Client) -> Finding:
    before = time.time()
    theirs = float(client.query("SELECT toFloat64(now64(6))").result_rows[0][0])
    skew_s = theirs - (before + time.time()) / 2
    if abs(skew_s) > SKEW_S_MAX:
        return Finding("clock", State.WRONG, f"the ledger's clock is {skew_s:+.1f} s off ours", "set both by NTP")
    return Finding("clock", State.FINE, f"the ledger's clock and ours differ by {abs(skew_s) * 1000:.0f} ms")


def _test_call(client: Client, visit: Visit) -> Finding:
    if visit.called_at is None:
        return Finding("arrival", State.SKIPPED, "no test call to look for")
    began = time.monotonic()
    while time.monotonic() - began < ARRIVAL_S:
        rows = client.query(
            "SELECT price_state, received_at FROM llm_attempts WHERE task = {task:String}", {"task": visit.task}
        ).result_rows
        if rows:
            state, received_at = rows[0]
            took_s = (received_at.replace(tzinfo=UTC) - visit.called_at).total_seconds()
            sentence = f"the test call is in the ledger, {state}, {took_s:.1f} s after it was made"
            return Finding("arrival", State.FINE, sentence)
        time.sleep(POLL_S)
    return Finding(
        "arrival",
        State.WRONG,
        f"the collector took the test call, but this ledger has not got it after {ARRIVAL_S:g} s",
        "does the exporter's endpoint lead to the collector of this ledger (--dsn, FAREBOX_DSN)?",
    )


def _book(client: Client) -> Finding:
    providers = list_providers(client)
    newest = max((row["newest_check"] for row in providers), default=date.min)
    age = (datetime.now(UTC).date() - newest).days
    found = f"prices of {len(providers)} providers, last checked on {newest}"
    if age > BOOK_AGE_DAYS_MAX:
        return Finding("prices", State.LOOK, f"{found}, {age} days ago", "upgrade farebox, or `farebox prices import`")
    return Finding("prices", State.FINE, found)


def _unpriced(client: Client) -> Finding:
    now = datetime.now(UTC)
    rows = run_query(client, "price_coverage", {"since": now - SEEN_FOR, "until": now})
    if not rows:
        return Finding("models seen", State.FINE, f"none without a price in the last {SEEN_FOR.days} days")
    models = sorted({f"{row['model']} ({row['provider']})" for row in rows})
    shown = ", ".join(models[:3]) + (", …" if len(models) > 3 else "")
    return Finding("models seen", State.LOOK, f"no price for {shown}", "add one: `farebox prices check`")
