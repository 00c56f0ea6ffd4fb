"""The plug of the viewer: finds it where it is installed, and gives it the one thing it needs, a way to ask the ledger.

The collector knows no dashboards. Whoever registers the entry point `viewer` of the group `farebox.up` is served.
"""

from __future__ import annotations

import asyncio
import ipaddress
import threading
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, cast

from starlette.types import ASGIApp

from farebox_collector.errors import CollectorError
from farebox_ledger import Dsn
from farebox_ledger._store import connect
from farebox_ledger.errors import QueryError, clickhouse_words

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

    from farebox_collector._reader import Reader
    from farebox_collector._tables import Tables

__all__ = ["Ask", "ask_embedded", "ask_server", "find_viewer", "require_token"]

GROUP = "farebox.up"
SERVER_SESSIONS_MAX = 4

# Puts one statement that only reads; gives its answer as JSONCompact, or raises QueryError with ClickHouse's words.
Ask = Callable[[str, Mapping[str, str], Mapping[str, str]], Awaitable[bytes]]


def find_viewer(ask: Ask, token: str, tables: Tables | None = None) -> ASGIApp | None:
    """Make the viewer's application; None where its extra is not installed."""
    for point in entry_points(group=GROUP, name="viewer"):
        try:
            make = cast("Callable[..., ASGIApp]", point.load())
        except ModuleNotFoundError:
            return None
        return make(ask, token, tables)
    return None


def require_token(host: str, token: str) -> None:
    """Refuse to show the ledger to other machines without a token.

    Raises:
        CollectorError: the host is beyond loopback and there is no token, or it is no address.
    """
    try:
        beyond = not ipaddress.ip_address(host).is_loopback
    except ValueError:
        raise CollectorError(f"--viewer-host {host!r} is no IP address; write 127.0.0.1, or 0.0.0.0 for all") from None
    if beyond and not token:
        raise CollectorError(
            f"--viewer-host {host} shows the ledger to other machines; set FAREBOX_VIEWER_TOKEN, or listen on 127.0.0.1"
        )


def ask_embedded(reader: Reader, database: str) -> Ask:
    """Ask through the same guard as whoever comes by the ClickHouse port, of what is loaded.

    What was acknowledged in the last second comes with the next look; to wait for it takes a second while spans arrive.
    """
    from farebox_collector._reader import Question
    from farebox_collector._readonly import RefusedError

    async def ask(sql: str, parameters: Mapping[str, str], settings: Mapping[str, str]) -> bytes:
        try:
            answer = await reader.ask(Question(sql, database, "JSONCompact", parameters, settings), settled=False)
        except (RefusedError, RuntimeError) as error:
            raise QueryError(clickhouse_words(error)) from None
        return answer.body

    return ask


def ask_server(dsn: Dsn) -> Ask:
    """Ask a ClickHouse server, read-only by its own setting; each thread has a session of its own."""
    threads = ThreadPoolExecutor(SERVER_SESSIONS_MAX, thread_name_prefix="farebox-viewer")
    own = threading.local()

    def put(sql: str, parameters: Mapping[str, str], settings: Mapping[str, str]) -> bytes:
        from clickhouse_connect.driver.exceptions import ClickHouseError

        try:
            if not hasattr(own, "client"):
                own.client = connect(dsn, dsn.database)
            client: Client = own.client
            # Who may only read already may not say so again.
            known = client.server_settings.get("readonly")
            bound = {} if known is not None and known.readonly else {"readonly": "1"}
            return client.raw_query(sql, dict(parameters), {**settings, **bound}, fmt="JSONCompact")
        except ClickHouseError as error:
            raise QueryError(clickhouse_words(error)) from None

    async def ask(sql: str, parameters: Mapping[str, str], settings: Mapping[str, str]) -> bytes:
        return await asyncio.get_running_loop().run_in_executor(threads, put, sql, parameters, settings)

    return ask
