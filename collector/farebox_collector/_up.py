"""Runs `farebox up`: opens the store, listens, announces, and on a signal stops in the order that loses nothing."""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import signal
import socket
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.applications import Starlette

from farebox_collector._counts import Counts
from farebox_collector._http import HOST, Server, listen
from farebox_collector._receiver import Limits, Receiver
from farebox_collector._viewer import ask_embedded, ask_server, find_viewer, require_token
from farebox_collector._writer import Writer
from farebox_ledger import Dsn, Refresher, Store, announce, new_token, open_store, watching

if TYPE_CHECKING:
    from farebox_collector._reader import Reader

__all__ = ["Options", "run"]

DECODERS_MAX = 2
# The whole stop must fit into five seconds. Whoever is not done then is cut off: nothing acknowledged hangs on it.
STOP_S_MAX = 4.5
STATEMENTS_S_MAX = 1.0
DRAFTS = "drafts"
STARTED_POLL_S = 0.01
EXIT_AT_SECOND_INTERRUPT = 130

_log = logging.getLogger("farebox.collector")


@dataclass(frozen=True)
class Options:
    """What `farebox up` is told: where the ledger is, which ports to listen on, and its limits."""

    dsn: Dsn
    otlp_port: int
    clickhouse_port: int
    limits: Limits
    viewer_port: int = 0
    viewer_host: str = HOST
    viewer_token: str = field(default="", repr=False)


@dataclass(frozen=True)
class _Servers:
    """What listens: two more where the ledger is embedded, the viewer where it is installed."""

    otlp: Server
    clickhouse: Server | None
    admin: Server | None
    viewer: Server | None

    def all(self) -> list[Server]:
        """Give those that there are."""
        return [each for each in (self.otlp, self.clickhouse, self.admin, self.viewer) if each is not None]


def run(options: Options) -> int:
    """Serve until SIGINT or SIGTERM and return the exit code.

    Raises:
        FareboxError: a port is taken, or the ledger cannot be opened.
    """
    require_token(options.viewer_host, options.viewer_token)
    with ExitStack() as stack:
        otlp = stack.enter_context(listen(options.otlp_port, "--otlp-port"))
        clickhouse = None
        if options.dsn.kind == "chdb":
            clickhouse = stack.enter_context(listen(options.clickhouse_port, "--clickhouse-port"))
        viewer = stack.enter_context(listen(options.viewer_port, "--viewer-port", options.viewer_host))
        store = stack.enter_context(open_store(options.dsn, _engine()))
        stack.enter_context(watching(store))
        if options.dsn.kind == "chdb":
            _keep_drafts_in(options.dsn.folder.resolve() / DRAFTS)
        counts = Counts()
        writer = Writer(store.client, counts)
        stack.callback(writer.close, STOP_S_MAX)
        refresher = Refresher(store.new_client())
        stack.callback(refresher.close, STOP_S_MAX)
        receiving = Server(_receiver(options, writer, counts), otlp)
        reading, administering, reader = None, None, None
        if clickhouse is not None:
            from farebox_collector._admin import Admin
            from farebox_collector._endpoint import endpoint  # needs chDB, which a server's ledger does not
            from farebox_collector._reader import Reader

            reader = Reader(options.dsn.folder)
            reading = Server(endpoint(reader, counts, options.dsn.database, _timezone(store)), clickhouse)
            admin = Admin(store, new_token(options.dsn.folder), counts)
            stack.callback(admin.close, STOP_S_MAX)
            administering = Server(admin.app(), stack.enter_context(listen(0, "no option")))
        servers = _Servers(receiving, reading, administering, _viewing(options, reader, viewer))
        asyncio.run(_serve(options, store, servers, reader))
    return 0


def _viewing(options: Options, reader: Reader | None, listener: socket.socket) -> Server | None:
    """Serve the viewer if it is installed; it checks hosts itself, since beyond loopback a token replaces names."""
    ask = ask_server(options.dsn) if reader is None else ask_embedded(reader, options.dsn.database)
    app = find_viewer(ask, options.viewer_token)
    if app is None:
        listener.close()
        return None
    return Server(app, listener, hosts=["*"])


def _engine() -> dict[str, str]:
    """Start-up options of the embedded ClickHouse: its user has no rights to files, networks and programs."""
    folder = files("farebox_collector") / "engine"
    return {"config-file": str(folder / "config.xml"), "users_config": str(folder / "users.xml")}


def _keep_drafts_in(folder: Path) -> None:
    """Write the files that inserts pass through beside the ledger, and drop those that a crash left behind.

    clickhouse-connect 1.12 hands rows to chDB by way of a temporary file.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    tempfile.tempdir = str(folder)


def _receiver(options: Options, writer: Writer, counts: Counts) -> Starlette:
    decoders = ThreadPoolExecutor(DECODERS_MAX, thread_name_prefix="farebox-decoder")
    return Receiver(writer, decoders, counts, options.limits).app()


def _timezone(store: Store) -> str:
    return str(store.client.command("SELECT timezone()"))


async def _serve(options: Options, store: Store, servers: _Servers, reader: Reader | None) -> None:
    """Serve until a signal, then let what is in work finish: inserts all, statements only for a moment."""
    stopping = _handle_signals()
    async with asyncio.TaskGroup() as tasks:
        for server in servers.all():
            tasks.create_task(server.run_until_stopped())
        while not all(server.started for server in servers.all()):
            await asyncio.sleep(STARTED_POLL_S)
        if servers.clickhouse is not None and servers.admin is not None:
            viewer_port = servers.viewer.port if servers.viewer else 0
            announce(options.dsn, servers.otlp.port, servers.clickhouse.port, servers.admin.port, viewer_port)
        _greet(options, servers)
        await stopping.wait()
        for server in servers.all():
            server.stop()
        if reader is not None:
            await asyncio.to_thread(_end_statements, reader, store)


def _handle_signals() -> asyncio.Event:
    """Set an event at the first signal; from then on the process ends by itself within STOP_S_MAX."""
    stopping = asyncio.Event()

    def stop(signal_number: int) -> None:
        if stopping.is_set() and signal_number == signal.SIGINT:
            os._exit(EXIT_AT_SECOND_INTERRUPT)
        if not stopping.is_set():
            stopping.set()
            guard = threading.Timer(STOP_S_MAX, _cut_off)
            guard.daemon = True
            guard.start()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop, number)
    return stopping


def _cut_off() -> None:
    _log.warning("Not everything came to its end in time; what was acknowledged is stored")
    os._exit(0)


def _end_statements(reader: Reader, store: Store) -> None:
    """Give statements a moment, then cancel them: the engine cannot close around a running one."""
    if reader.close(STATEMENTS_S_MAX):
        return
    with store.new_client() as client:
        client.command("KILL QUERY WHERE query_kind = 'Select' AND query_id != queryID() ASYNC")
    reader.close(STATEMENTS_S_MAX)


def _greet(options: Options, servers: _Servers) -> None:
    """Print an address a line, for people and for whoever waits for the first of them."""
    lines = [f"OTLP/HTTP   http://{HOST}:{servers.otlp.port}"]
    if servers.clickhouse is not None:
        lines.append(f"ClickHouse  http://{HOST}:{servers.clickhouse.port}  (read-only)")
    if servers.viewer is not None:
        lines.append(f"Viewer      http://{options.viewer_host}:{servers.viewer.port}")
    else:
        lines.append("Viewer      not installed; run: pip install 'farebox[dashboards]'")
    lines.append(f"Ledger      {options.dsn}")
    print("\n".join(lines), flush=True)  # noqa: T201
