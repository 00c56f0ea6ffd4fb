"""Opens a ledger, embedded or on a server, with one code for both: clickhouse-connect."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from farebox_ledger._book import sync_book
from farebox_ledger._book_own import read_own_book
from farebox_ledger._dsn import Dsn
from farebox_ledger._lock import LOCK_FILE, LOCK_WAIT_S, lock, running
from farebox_ledger._migrate import Migration, migrate, migrations, pending, require_current
from farebox_ledger._retention import apply_retention
from farebox_ledger._routes import read_routes, sync_routes
from farebox_ledger.errors import LedgerError, StoreHeldError, clickhouse_words

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

__all__ = ["Store", "connect", "open_reader", "open_store", "pending_in", "require_folder"]

# A batch that holds old spans touches many day partitions; ClickHouse's default of 100 would refuse it whole.
WRITER_SETTINGS = {"max_partitions_per_insert_block": 0}
# Decimals as exact text and whole numbers as numbers wherever an answer is JSON.
JSON_SETTINGS = {"output_format_json_quote_decimals": 1, "output_format_json_quote_64bit_integers": 0}
READER_SETTINGS = {**JSON_SETTINGS, "readonly": 1}  # the last: nothing can be set after it
READER_WAIT_S = 5.0
POLL_S = 0.05
CONNECT_TIMEOUT_S = 5


@dataclass
class Store:
    """A ledger open for writing: migrated, its price book in step. Close it; it is a context manager too.

    `client` serialises its own queries: a thread that must not wait for another takes `new_client()` and
    closes it.
    """

    dsn: Dsn
    client: Client
    prices_added: int
    _exit: ExitStack

    def new_client(self) -> Client:
        """Open another session on the same store, for another thread."""
        return connect(self.dsn, self.dsn.database, WRITER_SETTINGS)

    def close(self) -> None:
        """Close the store and let go of its folder; clients from `new_client()` must be closed before."""
        self._exit.close()

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def open_store(dsn: Dsn, engine: Mapping[str, str] | None = None, wait_s: float = LOCK_WAIT_S) -> Store:
    """Open a ledger for writing: create the database, migrate it, bring its prices and routes' settings in step.

    `engine` holds start-up options of the embedded ClickHouse; a server's address ignores them.

    Raises:
        StoreHeldError: another process has the embedded store open, and does not close it within `wait_s` seconds.
        LedgerError: the server cannot be reached, takes nothing, or has the schema of a newer farebox.
    """
    with ExitStack() as stack:
        stack.enter_context(lock(dsn, wait_s))
        client = stack.enter_context(connect(dsn, None, WRITER_SETTINGS, engine))
        from clickhouse_connect.driver.exceptions import ClickHouseError

        try:
            client.command(f"CREATE DATABASE IF NOT EXISTS {dsn.database} ENGINE = Atomic")
            client.database = dsn.database
            migrate(client)
            apply_retention(client)
            added = sync_book(client, read_own_book(dsn))
            sync_routes(client, read_routes())
        except (ClickHouseError, OSError) as error:  # a full disk, a user without rights
            raise LedgerError(
                f"the ledger {dsn} cannot be written ({clickhouse_words(error)}); mend that, and start again"
            ) from None
        return Store(dsn, client, added, stack.pop_all())


@contextmanager
def open_reader(dsn: Dsn) -> Iterator[Client]:
    """Open a ledger for questions: its server, the running `farebox up` of its folder, or the folder itself.

    Raises:
        LedgerError: there is no ledger, its holder does not answer, or its schema is not current.
    """
    require_folder(dsn)
    with ExitStack() as stack:
        client = stack.enter_context(_reach(dsn, stack))
        if not _has_database(client, dsn.database):
            raise LedgerError(f"{dsn} has no database {dsn.database!r}; create it with `farebox migrate`")
        client.database = dsn.database
        require_current(client)
        yield client


def require_folder(dsn: Dsn) -> None:
    """Refuse the address of an embedded ledger that nobody has begun: what works on the past makes none.

    Raises:
        LedgerError: there is no ledger.
    """
    if dsn.kind == "chdb" and not (dsn.folder / LOCK_FILE).exists():
        raise LedgerError(
            f"there is no ledger in {dsn.folder}; start one with `farebox up`, or name another with --dsn"
        )


def pending_in(dsn: Dsn) -> list[Migration]:
    """List the migrations that a ledger lacks, all of them where there is no ledger yet; changes nothing.

    Raises:
        LedgerError: it cannot be reached, or is not a ledger of this farebox.
    """
    if dsn.kind == "chdb" and not (dsn.folder / LOCK_FILE).exists():
        return list(migrations())
    with ExitStack() as stack:
        client = stack.enter_context(_reach(dsn, stack))
        if not _has_database(client, dsn.database):
            return list(migrations())
        client.database = dsn.database
        return pending(client)


def connect(
    dsn: Dsn,
    database: str | None,
    settings: dict[str, Any] | None = None,
    engine: Mapping[str, str] | None = None,
) -> Client:
    """Connect to ClickHouse, embedded or by HTTP; datetimes come back as the columns' own time zone says.

    Raises:
        LedgerError: it cannot be reached or refuses the user.
    """
    import clickhouse_connect  # heavy: only commands that reach a ledger pay for it
    from clickhouse_connect.driver.exceptions import ClickHouseError

    # Its warnings repeat what our sentence says; an application that wants them configures the logger.
    logging.getLogger("clickhouse_connect").addHandler(logging.NullHandler())
    try:
        if dsn.kind == "chdb":
            return clickhouse_connect.get_client(
                interface="chdb",
                path=str(dsn.folder),
                database=database,
                settings=settings,
                tz_mode="schema",
                chdb_options=dict(engine or {}),
            )
        return clickhouse_connect.get_client(
            interface="https" if dsn.secure else "http",
            host=dsn.host,
            port=dsn.port,
            username=dsn.user,
            password=dsn.password,
            database=database,
            settings=settings,
            tz_mode="schema",
            connect_timeout=CONNECT_TIMEOUT_S,
        )
    except ImportError as error:
        raise LedgerError(f"{error}; run: pip install 'farebox[collector,local]'") from None
    except ClickHouseError as error:
        raise LedgerError(
            f"the ledger {dsn} does not answer ({clickhouse_words(error)}); start it, or correct --dsn or FAREBOX_DSN"
        ) from None


def _reach(dsn: Dsn, stack: ExitStack) -> Client:
    """Connect for reading; waits a little for a process that holds the folder but does not listen yet."""
    if dsn.kind != "chdb":
        return connect(dsn, None, READER_SETTINGS)
    deadline = time.monotonic() + READER_WAIT_S
    while True:
        up = running(dsn)
        if up is not None:
            secret = _secret_in(dsn.folder)
            served = Dsn("clickhouse", dsn.database, host="127.0.0.1", port=up.clickhouse_port, password=secret)
            return connect(served, None, JSON_SETTINGS)  # it only reads anyway
        try:
            stack.enter_context(lock(dsn, wait_s=0))
        except StoreHeldError:
            if time.monotonic() >= deadline:
                raise
            time.sleep(POLL_S)
        else:
            return connect(dsn, None, READER_SETTINGS)


def _secret_in(folder: Path) -> str:
    """Read what a `farebox up` takes for FAREBOX_CLICKHOUSE_PASSWORD; nothing where this user may not."""
    from farebox_ledger._actions import TOKEN_FILE

    try:
        return (folder / TOKEN_FILE).read_text(encoding="ascii")
    except OSError:
        return ""


def _has_database(client: Client, database: str) -> bool:
    found = client.query("SELECT count() FROM system.databases WHERE name = {name:String}", {"name": database})
    return bool(found.result_rows[0][0])
