"""Brings the schema forward: one statement a file, in order, each as it was when it was first applied."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from hashlib import sha256
from importlib.resources import files
from itertools import pairwise
from typing import TYPE_CHECKING

from farebox_ledger.errors import MigrationError, clickhouse_words

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

__all__ = ["Migration", "migrate", "migrations", "pending", "require_current"]

FILE_NAME = re.compile(r"(\d{4})_[a-z0-9]+(?:_[a-z0-9]+)+\.sql")
LOG_TABLE = "migrations"
LOG_EVERY_S = 0.5


@dataclass(frozen=True)
class Migration:
    """One file of `migrations/`; `checksum` is the sha256 of its bytes."""

    number: int
    name: str
    sql: str
    checksum: str


# When it was started, and when finished; None: not yet.
_Entry = tuple[Migration, datetime, datetime | None]


@dataclass(frozen=True)
class _Logged:
    name: str
    checksum: str
    finished: bool


@cache
def migrations() -> tuple[Migration, ...]:
    """Read the migrations of this farebox, in order.

    Raises:
        MigrationError: a file's name is not NNNN_verb_noun.sql, or two have the same number.
    """
    found = []
    for file in files("farebox_ledger").joinpath("migrations").iterdir():
        matched = FILE_NAME.fullmatch(file.name)
        if matched is None:
            raise MigrationError(f"migrations/{file.name} is not named NNNN_verb_noun.sql; rename it")
        body = file.read_bytes()
        found.append(Migration(int(matched[1]), file.name, body.decode("utf-8"), sha256(body).hexdigest()))
    found.sort(key=lambda migration: migration.name)
    for earlier, later in pairwise(found):
        if earlier.number == later.number:
            raise MigrationError(f"migrations/{later.name} has the number of {earlier.name}; renumber it")
    return tuple(found)


def pending(client: Client) -> list[Migration]:
    """List the migrations that the client's database still lacks, one that a crash cut short among them.

    Raises:
        MigrationError: an applied one was changed since, or a newer farebox has applied more.
    """
    logged = _read_log(client)
    known = {migration.number: migration for migration in migrations()}
    for number, entry in sorted(logged.items()):
        if not entry.finished:
            continue
        if number not in known:
            raise MigrationError(
                f"a newer farebox has migrated the ledger ({entry.name} is unknown here); upgrade this one"
            )
        if known[number].checksum != entry.checksum:
            raise MigrationError(
                f"migrations/{known[number].name} was changed after it had been applied "
                f"(sha256 {known[number].checksum[:12]}, applied {entry.checksum[:12]}); "
                "restore it and put the change into a new migration"
            )
    return [migration for migration in migrations() if not _is_finished(logged, migration)]


def migrate(client: Client) -> list[Migration]:
    """Apply what is pending, in order, and return it; safe to run twice and after a crash.

    Every statement can be repeated (IF NOT EXISTS, CREATE OR REPLACE): one that has started but is not known to have
    finished is run again. An insert takes as long as most statements, so the log gathers what takes no time.
    """
    due = pending(client)
    if due and due[0].number == 1:
        _apply(client, due[0])  # creates the log
    started = datetime.now(UTC)
    _log(client, [(migration, started, None) for migration in due if migration.number > 1])
    finished: list[_Entry] = []
    logged_at = time.monotonic()
    try:
        for migration in due:
            if migration.number > 1:
                started = datetime.now(UTC)
                _apply(client, migration)
            finished.append((migration, started, datetime.now(UTC)))
            if time.monotonic() - logged_at > LOG_EVERY_S:
                _log(client, finished)
                finished, logged_at = [], time.monotonic()
    finally:
        _log(client, finished)
    return due


def require_current(client: Client) -> None:
    """Refuse a database whose schema is older or newer than this farebox.

    Raises:
        MigrationError: names how many migrations are missing and the remedy.
    """
    due = pending(client)
    if due:
        raise MigrationError(
            f"the ledger's schema lacks {len(due)} of {len(migrations())} migrations, from {due[0].name} on; "
            "run `farebox migrate`, or restart `farebox up`"
        )


def _apply(client: Client, migration: Migration) -> None:
    from clickhouse_connect.driver.exceptions import ClickHouseError

    try:
        client.command(migration.sql)
    except ClickHouseError as error:
        raise MigrationError(
            f"migrations/{migration.name} failed ({clickhouse_words(error)}); mend the cause and run it again"
        ) from error


def _log(client: Client, entries: list[_Entry]) -> None:
    if entries:
        rows = [(each.number, each.name, each.checksum, started, finished) for each, started, finished in entries]
        client.insert(LOG_TABLE, rows, column_names=["number", "name", "checksum", "started", "finished"])


def _read_log(client: Client) -> Mapping[int, _Logged]:
    exists = client.query(
        "SELECT count() FROM system.tables WHERE database = currentDatabase() AND name = {name:String}",
        {"name": LOG_TABLE},
    )
    if not exists.result_rows[0][0]:
        return {}
    rows = client.query(
        "SELECT number, argMax(name, started), argMax(checksum, started), countIf(finished IS NOT NULL) > 0 "
        "FROM migrations GROUP BY number"
    ).result_rows
    return {number: _Logged(name, checksum, bool(finished)) for number, name, checksum, finished in rows}


def _is_finished(logged: Mapping[int, _Logged], migration: Migration) -> bool:
    entry = logged.get(migration.number)
    return entry is not None and entry.finished
