"""The schema moves forward only, each step once, and a crash leaves nothing that cannot be resumed."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from ledger.spans import attempt, store

from farebox_ledger import Dsn, Store, open_reader, open_store
from farebox_ledger._migrate import Migration, migrate, migrations, pending, require_current
from farebox_ledger.errors import MigrationError

LOG = "INSERT INTO migrations (number, name, checksum, started, finished) VALUES"


def log(ledger: Store, migration: Migration, checksum: str = "", finished: str = "now64(6, 'UTC')") -> None:
    """Write a row into the log as a migration would."""
    ledger.client.command(
        f"{LOG} ({migration.number}, '{migration.name}', '{checksum or migration.checksum}', "
        f"now64(6, 'UTC'), {finished})"
    )


def test_each_migration_is_logged_when_it_starts_and_when_it_has_finished(fresh_store: Store) -> None:
    """The log names every migration with its checksum, begun and done."""
    found = fresh_store.client.query(
        "SELECT number, name, any(checksum), countIf(finished IS NULL), countIf(finished >= started) "
        "FROM migrations GROUP BY number, name ORDER BY number"
    ).result_rows

    assert found == [
        (each.number, each.name, each.checksum, int(each.number > 1), 1) for each in migrations()
    ]  # the first one creates the log, so nobody can note that it has begun


def test_migrating_twice_does_nothing(fresh_store: Store) -> None:
    """A second run applies nothing."""
    assert migrate(fresh_store.client) == []


def test_every_statement_can_be_repeated(fresh_store: Store) -> None:
    """A crash after the statement and before the log is mended by running it again: every statement bears that."""
    store(fresh_store.client, attempt())

    for migration in migrations():
        fresh_store.client.command(migration.sql)

    assert fresh_store.client.query("SELECT count() FROM llm_attempts").result_rows == [(1,)]


def test_a_crash_is_resumed(fresh_store: Store) -> None:
    """A migration that has begun and not finished is run again, whether its statement took effect or not."""
    name = f"{fresh_store.dsn.database}.migrations"
    last = [each for each in migrations() if "CREATE VIEW" in each.sql][-1]
    fresh_store.client.command(f"ALTER TABLE {name} DELETE WHERE number = {last.number} SETTINGS mutations_sync = 2")
    view = last.name.removesuffix(".sql").partition("_create_")[2]
    fresh_store.client.command(f"DROP VIEW {view}")
    log(fresh_store, last, checksum="of another draft", finished="NULL")

    applied = migrate(fresh_store.client)

    assert applied == [last]
    assert fresh_store.client.query(f"EXISTS VIEW {view}").result_rows == [(1,)]
    assert pending(fresh_store.client) == []


def test_a_changed_migration_is_refused(fresh_store: Store) -> None:
    """A migration that was applied with another content stops everything, with a sentence that names it."""
    third = migrations()[2]
    log(fresh_store, third, checksum="0" * 64)

    with pytest.raises(MigrationError) as refused:
        migrate(fresh_store.client)

    assert str(refused.value) == (
        f"migrations/{third.name} was changed after it had been applied (sha256 {third.checksum[:12]}, applied "
        "000000000000); restore it and put the change into a new migration"
    )


def test_a_newer_schema_is_refused(fresh_store: Store) -> None:
    """A ledger that a newer farebox has migrated is not touched by an older one."""
    log(fresh_store, Migration(9999, "9999_teach_parrot.sql", "", "abc"))

    with pytest.raises(MigrationError) as refused:
        require_current(fresh_store.client)

    assert str(refused.value) == (
        "a newer farebox has migrated the ledger (9999_teach_parrot.sql is unknown here); upgrade this one"
    )


def test_a_reader_refuses_an_older_schema(fresh_store: Store) -> None:
    """A question to a ledger that lacks migrations says how many and what to run."""
    last = migrations()[-1]
    name = f"{fresh_store.dsn.database}.migrations"
    fresh_store.client.command(f"ALTER TABLE {name} DELETE WHERE number = {last.number} SETTINGS mutations_sync = 2")

    with pytest.raises(MigrationError) as refused, open_reader(fresh_store.dsn):
        pass

    assert str(refused.value) == (
        f"the ledger's schema lacks 1 of {len(migrations())} migrations, from {last.name} on; "
        "run `farebox migrate`, or restart `farebox up`"
    )


def test_reopening_keeps_rows_and_adds_no_prices(fresh_dsn: Dsn) -> None:
    """A second start of the same ledger finds everything done."""
    with open_store(fresh_dsn) as first:
        added = first.prices_added
        store(first.client, attempt(started_at=datetime(2026, 11, 1, tzinfo=UTC)))

    with open_store(fresh_dsn) as second:
        assert (added > 2000, second.prices_added) == (True, 0)
        assert second.client.query("SELECT count() FROM llm_attempts").result_rows == [(1,)]
