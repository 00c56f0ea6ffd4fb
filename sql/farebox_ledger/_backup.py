"""Writes a whole embedded ledger into one file, and makes a ledger of such a file; a server's is for its own BACKUP."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4
from xml.sax.saxutils import escape

from farebox_ledger._actions import carry_out, perform
from farebox_ledger._dsn import Dsn
from farebox_ledger._lock import lock, running
from farebox_ledger._store import connect, open_store, require_folder
from farebox_ledger.errors import LedgerError, clickhouse_words

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

__all__ = ["BACKUPS", "Restored", "backup", "backup_as_asked", "backup_config", "restore"]

SUFFIX = ".tar.zst"
# Folder in the ledger's in which ClickHouse writes a backup, and the name of the disk that it is to ClickHouse.
BACKUPS = "backups"
NAME = re.compile(r"[0-9a-f-]{36}\.tar\.zst")


@dataclass(frozen=True)
class Restored:
    """What a restored ledger holds."""

    attempts: int
    spans: int


def backup(dsn: Dsn, target: Path) -> int:
    """Write a ledger into a file, also while `farebox up` holds it, and return the file's bytes.

    Raises:
        LedgerError: it is on a server, cannot be read, or the file cannot be written.
    """
    _require_embedded(dsn, f"BACKUP DATABASE {dsn.database} TO …")
    if not target.name.endswith(SUFFIX):
        raise LedgerError(f"{target} does not end in {SUFFIX}, which is what a backup is; name it so")
    if target.exists():
        raise LedgerError(f"{target} is there already; name another file, or remove it")
    if not target.absolute().parent.is_dir():
        raise LedgerError(f"there is no folder {target.absolute().parent}; make it first")
    require_folder(dsn)
    name = f"{uuid4()}{SUFFIX}"
    if running(dsn) is not None:
        perform(dsn, "backup", {"name": name})
    else:
        with _config(backup_config(dsn.folder)) as engine, open_store(dsn, engine) as store:
            carry_out(store.client, "backup", {"name": name})
    made = dsn.folder / BACKUPS / name
    try:
        made.chmod(0o600)
        shutil.move(made, target)
    except OSError as error:
        made.unlink(missing_ok=True)
        raise LedgerError(f"{target} cannot be written: {error.strerror}; choose another place") from None
    return target.stat().st_size


def backup_as_asked(client: Client, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Write the client's database into a file of the backups' folder; `name` says which.

    Raises:
        LedgerError: ClickHouse could not.
    """
    from clickhouse_connect.driver.exceptions import ClickHouseError

    name = str(asked["name"])
    if not NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no name of a backup")
    ((database,),) = client.query("SELECT currentDatabase()").result_rows
    try:
        client.command(f"BACKUP DATABASE `{database}` TO Disk('{BACKUPS}', '{name}')")
    except ClickHouseError as error:
        raise LedgerError(f"the ledger cannot be backed up ({clickhouse_words(error)})") from error
    return {"name": name}


def restore(dsn: Dsn, source: Path) -> Restored:
    """Make a ledger of a file that `backup` wrote; its schema and prices are brought in step with this farebox.

    Raises:
        LedgerError: there is a ledger already, it is held by another process, or the file is no backup.
    """
    from clickhouse_connect.driver.exceptions import ClickHouseError

    _require_embedded(dsn, f"RESTORE DATABASE {dsn.database} FROM …")
    if not source.is_file():
        raise LedgerError(f"there is no file {source}; name one that `farebox backup` wrote")
    path = str(source.resolve()).replace("\\", "\\\\").replace("'", "\\'")
    allowed = f"<backups><allowed_path>{escape(str(source.resolve().parent))}</allowed_path></backups>"
    with lock(dsn), _config(allowed) as engine, connect(dsn, None, None, engine) as client:
        ((there,),) = client.query(
            "SELECT count() FROM system.databases WHERE name = {name:String}", {"name": dsn.database}
        ).result_rows
        if there:
            raise LedgerError(f"there is a ledger in {dsn} already; restore into another folder with --dsn")
        try:
            client.command(f"RESTORE DATABASE {dsn.database} FROM File('{path}')")
        except ClickHouseError as error:
            client.command(f"DROP DATABASE IF EXISTS {dsn.database} SYNC")
            raise LedgerError(f"{source} cannot be restored ({clickhouse_words(error)})") from error
    with open_store(dsn) as store:
        ((attempts,),) = store.client.query("SELECT count() FROM llm_attempts").result_rows
        ((spans,),) = store.client.query("SELECT count() FROM otel_traces").result_rows
    return Restored(attempts, spans)


def backup_config(folder: Path) -> str:
    """Write the part of ClickHouse's configuration that lets it write backups into a ledger's folder."""
    path = escape(str(folder.resolve() / BACKUPS))
    return (
        f"<storage_configuration><disks><{BACKUPS}><type>local</type><path>{path}/</path></{BACKUPS}></disks>"
        f"</storage_configuration><backups><allowed_disk>{BACKUPS}</allowed_disk></backups>"
    )


@contextmanager
def _config(content: str) -> Iterator[dict[str, str]]:
    """Give start-up options of an embedded ClickHouse with this configuration."""
    with tempfile.TemporaryDirectory(prefix="farebox-") as folder:
        file = Path(folder) / "engine.xml"
        file.write_text(f"<clickhouse>{content}</clickhouse>", encoding="utf-8")
        yield {"config-file": str(file)}


def _require_embedded(dsn: Dsn, statement: str) -> None:
    if dsn.kind != "chdb":
        raise LedgerError(f"{dsn} is on a server, which backs up by itself: run `{statement}` there")
