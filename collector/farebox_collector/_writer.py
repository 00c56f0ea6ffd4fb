"""Takes inserts over the ClickHouse interface, for the OpenTelemetry Collector's exporter: into its tables alone.

Only with a token made for that (`farebox tokens add NAME --write`), only a block in ClickHouse's Native format. It is
answered once the rows are stored and the operating system has put them on the disk.
Source: the contrib Collector's clickhouseexporter 0.161, and clickhouse-go 2.47, conn_http_batch.go, read 2026-11-23.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import re
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

from starlette.requests import Request

from farebox_collector._bodies import Budget, decompress, read_body
from farebox_collector._counts import Counts
from farebox_collector._decode import LOGS, ROWS, TRACES
from farebox_collector._files import boot_id, sync_system
from farebox_collector._insert import SETTINGS
from farebox_collector._native import read_number
from farebox_collector._readonly import READONLY, RefusedError
from farebox_collector._tokens import Gate
from farebox_collector.errors import UnauthorizedError
from farebox_ledger import Store

__all__ = ["AUTHENTICATION_FAILED", "Insert", "Writer", "insert_in", "inserts", "secret_in"]

AUTHENTICATION_FAILED = 516
BLOCK_BYTES_MAX = 64 * 1024 * 1024
BLOCKS_BYTES_MAX = 4 * BLOCK_BYTES_MAX
NAME = r'(?:"\w+"|`\w+`|\w+)'
INSERT = re.compile(
    rf"\s*INSERT\s+INTO\s+(?:({NAME})\s*\.\s*)?({NAME})\s*\(([\w\s.,`\"]+)\)\s*FORMAT\s+Native\s*;?\s*", re.IGNORECASE
)
BEGINS = re.compile(r"\s*INSERT\b", re.IGNORECASE)
COLUMN = re.compile(r"\w+(?:\.\w+)?")
TABLES = (TRACES, LOGS)


@dataclass(frozen=True)
class Insert:
    """A statement that names a table of the exporter, and its columns; the rows are in the request's body."""

    table: str
    columns: list[str]


class Writer:
    """The one thread that inserts what exporters send."""

    def __init__(self, store: Store, folder: Path, gate: Gate, counts: Counts) -> None:
        """Make one; `folder` is where the store has its files."""
        self._client = store.new_client()
        self._folder = folder
        self._gate = gate
        self._counts = counts
        self._since = boot_id()
        self._budget = Budget(BLOCKS_BYTES_MAX)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="farebox-writer")

    async def insert(self, request: Request, insert: Insert) -> None:
        """Insert the block that a request carries; returns once it is on the disk.

        Raises:
            RefusedError: no token that may write is shown.
            RequestError: the body is too large, late, or not in its encoding.
            RuntimeError: ClickHouse's own words.
        """
        self._check_token(request)
        with self._budget.claim() as claim:
            body = await read_body(request, claim, BLOCK_BYTES_MAX)
            block = decompress(body, request.headers.get("content-encoding", ""), BLOCK_BYTES_MAX)
            claim.take(len(block))
            await asyncio.get_running_loop().run_in_executor(self._thread, self._store, insert, block)

    def close(self, timeout_s: float) -> bool:
        """Take nothing more; an insert in work is given its end, or else its exporter sends it again."""
        closing = self._thread.submit(self._client.close)
        self._thread.shutdown(wait=False)
        return not wait([closing], timeout_s).not_done

    def _check_token(self, request: Request) -> None:
        try:
            self._gate.check_write(secret_in(request.headers, request.query_params))
        except UnauthorizedError as error:
            self._counts.add("writes_refused")
            raise RefusedError(str(error), AUTHENTICATION_FAILED) from None

    def _store(self, insert: Insert, block: bytes) -> None:
        # The same block again, because its answer got lost, adds nothing.
        token = blake2b(block, digest_size=16, key=f"{insert.table} {self._since}".encode()[:64]).hexdigest()
        settings = {**SETTINGS, "insert_deduplication_token": token}
        self._client.raw_insert(insert.table, insert.columns, block, settings, "Native")
        sync_system(self._folder)
        rows = _rows_of(block) if block else 0
        self._counts.add("writes")
        self._counts.add(f"{ROWS[insert.table]}_received", rows)
        self._counts.add(f"{ROWS[insert.table]}_stored", rows)


def insert_in(sql: str, database: str, own: str) -> Insert | None:
    """Read a statement that inserts, for the database of the request where it names none; None for all that do not.

    Raises:
        RefusedError: it inserts something else than a block into a table of the exporter.
    """
    if not inserts(sql):
        return None
    found = INSERT.fullmatch(sql)
    columns = [each.strip().strip('`"') for each in found[3].split(",")] if found else []
    if found is None or not all(COLUMN.fullmatch(each) for each in columns):
        raise RefusedError("what is inserted here is one block: INSERT INTO table (columns) FORMAT Native", READONLY)
    table = found[2].strip('`"')
    if (found[1] or database).strip('`"') != own or table not in TABLES:
        raise RefusedError(f"only {' and '.join(TABLES)} of {own} are written here", READONLY)
    return Insert(table, columns)


def inserts(sql: str) -> bool:
    """Say whether a statement is the writer's to judge."""
    return BEGINS.match(sql) is not None


def secret_in(headers: Mapping[str, str], values: Mapping[str, str]) -> str:
    """Find the secret where ClickHouse's clients put a password: their own header, Basic, Bearer, or the URL."""
    scheme, _, shown = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(shown, validate=True).decode().partition(":")[2]
        except (binascii.Error, UnicodeDecodeError):
            return ""
    if scheme.lower() == "bearer":
        return shown.strip()
    return headers.get("x-clickhouse-key") or values.get("password", "")


def _rows_of(block: bytes) -> int:
    """Read how many rows a block of Native format has; it begins with the numbers of its columns and rows."""
    _, position = read_number(block, 0)
    return read_number(block, position)[0]
