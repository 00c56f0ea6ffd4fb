"""Runs `farebox up`: opens the store, starts its parts, and on a signal stops them in the order that loses nothing."""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import signal
import socket
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.types import ASGIApp

from farebox_collector._beyond import check_tls, gate_for, lift_file_limit
from farebox_collector._budgets import Budgets
from farebox_collector._counts import Counts
from farebox_collector._grpc import GrpcServer, check_free
from farebox_collector._http import HOST, HOSTS, Server, listen
from farebox_collector._intake import Intake, Limits
from farebox_collector._journal import Bounds, Journal
from farebox_collector._loader import Loader
from farebox_collector._memory import spare_memory
from farebox_collector._quarantine import Quarantine
from farebox_collector._receiver import Receiver, gated
from farebox_collector._tokens import FILE as TOKENS
from farebox_collector._tokens import Gate
from farebox_collector._viewer import ask_embedded, ask_server, find_viewer, require_token
from farebox_collector._watch import Watch
from farebox_collector.errors import CollectorError
from farebox_ledger import Dsn, Refresher, Store, announce, new_token, open_store, watching
from farebox_ledger._backup import backup_config
from farebox_ledger.alerts import Watcher

if TYPE_CHECKING:
    from farebox_collector._reader import Reader

__all__ = ["House", "Options", "run"]

DECODERS_MAX = 2
HELD_S_MAX = 10.0  # another command may be at work on the ledger
# The whole stop must fit into five seconds. Whoever is not done then is cut off: nothing acknowledged hangs on it.
STOP_S_MAX = 4.5
STATEMENTS_S_MAX = 1.0
LOAD_S_MAX = 1.5
DRAFTS, JOURNAL, QUARANTINE = "drafts", "journal", "quarantine"
STARTED_POLL_S = 0.01
EXIT_AT_SECOND_INTERRUPT = 130

_log = logging.getLogger("farebox.collector")


@dataclass(frozen=True)
class Options:
    """What `farebox up` is told: where the ledger and the journal are, which ports to listen on, and its limits."""

    dsn: Dsn
    otlp_port: int
    clickhouse_port: int
    limits: Limits
    bounds: Bounds
    folder: Path
    alert_every_s: int = 60
    otlp_host: str = HOST
    otlp_plaintext: bool = False
    grpc_port: int | None = None
    tls: tuple[Path, Path] | None = None
    memory_bytes_max: int = 0
    clickhouse_password: str = field(default="", repr=False)
    viewer_port: int = 0
    viewer_host: str = HOST
    viewer_token: str = field(default="", repr=False)

    @property
    def embedded(self) -> bool:
        """Whether this process holds the ledger itself."""
        return self.dsn.kind == "chdb"


@dataclass
class House:
    """What the parts of `farebox up` share. `stack` closes them in the reverse order of their start."""

    options: Options
    store: Store
    stack: ExitStack
    ports: dict[str, socket.socket]
    gate: Gate | None
    counts: Counts = field(default_factory=Counts)
    journal: Journal = field(init=False)
    servers: dict[str, Server] = field(default_factory=dict)
    grpc: GrpcServer | None = None
    greeting: list[str] = field(default_factory=list)
    at_stop: list[Callable[[], None]] = field(default_factory=list)
    reader: Reader | None = None
    token: str = field(default="", repr=False)

    def serve(
        self,
        name: str,
        app: ASGIApp,
        words: str = "",
        hosts: Sequence[str] = HOSTS,
        tls: tuple[Path, Path] | None = None,
    ) -> None:
        """Serve an application on the port of that name; `words` greet with its address, as `{}`."""
        listener = self.ports[name]
        self.servers[name] = Server(app, listener, hosts, tls)
        if words:
            host, port = listener.getsockname()[:2]
            self.greeting.append(words.format(f"http{'s' if tls else ''}://{host}:{port}"))

    def settled(self) -> Future[None]:
        """Give a future that resolves once all that is acknowledged by now can be read, or cannot be stored now."""
        return self.journal.settled()


def run(options: Options) -> int:
    """Serve until SIGINT or SIGTERM and return the exit code.

    Raises:
        FareboxError: a port is taken, the ledger cannot be opened, or the journal cannot be written.
    """
    require_token(options.viewer_host, options.viewer_token)
    gate = gate_for(options.otlp_host, options.folder / TOKENS)
    check_tls(options.tls, gate, plaintext=options.otlp_plaintext)
    spare_memory()
    if options.embedded:
        lift_file_limit()
    with ExitStack() as stack:
        ports = {"otlp": stack.enter_context(listen(options.otlp_port, "--otlp-port", options.otlp_host))}
        if options.grpc_port is not None:
            check_free(options.otlp_host, options.grpc_port)
        if options.embedded:
            ports["clickhouse"] = stack.enter_context(listen(options.clickhouse_port, "--clickhouse-port"))
            ports["admin"] = stack.enter_context(listen(0, "no option"))
        ports["viewer"] = stack.enter_context(listen(options.viewer_port, "--viewer-port", options.viewer_host))
        store = stack.enter_context(open_store(options.dsn, _engine(options, stack), HELD_S_MAX))
        house = House(options, store, stack, ports, gate)
        with _sentence_for_disks():
            for start in PARTS:
                start(house)
        asyncio.run(_serve(house))
    return 0


@contextmanager
def _sentence_for_disks() -> Iterator[None]:
    """Say in a sentence which file of a start cannot be written.

    Raises:
        CollectorError: the disk is full, or takes nothing.
    """
    try:
        yield
    except OSError as error:
        where = error.filename or "a file in the ledger's folder"
        raise CollectorError(
            f"{where} cannot be written: {error.strerror}; make room, or choose another disk"
        ) from None


def _watch_prices(house: House) -> None:
    """Take up changes of the user's price files."""
    house.stack.enter_context(watching(house.store))


def _take_in(house: House) -> None:
    """Receive telemetry, journal it, and load it into the ledger."""
    options, counts = house.options, house.counts
    if options.embedded:
        _keep_drafts_in(options.dsn.folder.resolve() / DRAFTS)
    quarantine = Quarantine(options.folder / QUARANTINE, counts)
    house.journal = journal = Journal(options.folder / JOURNAL, options.bounds, counts)
    house.stack.callback(journal.unlock)
    loader = Loader(
        house.store.client, journal, quarantine, counts, options.dsn.folder.resolve() if options.embedded else None
    )
    house.stack.callback(loader.close, LOAD_S_MAX)
    house.stack.callback(journal.close, STOP_S_MAX)
    decoders = ThreadPoolExecutor(DECODERS_MAX, thread_name_prefix="farebox-decoder")
    intake = Intake(journal, lambda: journal.failure or loader.failure, decoders, counts, options.limits)
    app, budgets = Receiver(intake, house.gate).app(), Budgets(house.store)
    if options.grpc_port is not None:
        tls = None if options.tls is None else (options.tls[0].read_bytes(), options.tls[1].read_bytes())
        house.grpc = GrpcServer(intake, options.otlp_host, options.grpc_port, house.gate, tls)
    app.routes.append(budgets.route())
    house.stack.callback(budgets.close)
    hosts = HOSTS if house.gate is None else ["*"]  # a token is more than a name
    house.serve("otlp", app if house.gate is None else gated(app, house.gate), "OTLP/HTTP   {}", hosts, options.tls)


def _refresh(house: House) -> None:
    """Keep rollups in step with what is stored."""
    refresher = Refresher(house.store.new_client())
    house.stack.callback(refresher.close, STOP_S_MAX)


def _watch_alerts(house: House) -> None:
    """Ask the alert rules now and then, and tell who wants to know."""
    watcher = Watcher(house.store.new_client(), house.options.alert_every_s)
    house.stack.callback(watcher.close, STOP_S_MAX)


def _answer_readers(house: House) -> None:
    """Serve an embedded ledger read-only; a server answers for itself."""
    if not house.options.embedded:
        return
    from farebox_collector._endpoint import endpoint, guarded  # needs chDB, which a server's ledger does not
    from farebox_collector._reader import Reader
    from farebox_collector._writer import Writer

    dsn = house.options.dsn
    house.token = new_token(dsn.folder)
    house.reader = reader = Reader(dsn.folder, house.settled)
    timezone = str(house.store.client.command("SELECT timezone()"))
    writer = Writer(house.store, dsn.folder.resolve(), Gate(house.options.folder / TOKENS), house.counts)
    house.stack.callback(writer.close, STOP_S_MAX)
    app: ASGIApp = endpoint(reader, writer, house.counts, dsn.database, timezone)
    if house.options.clickhouse_password:
        # Other commands of this user show the secret that lies in the ledger's folder.
        app = guarded(app, (house.options.clickhouse_password, house.token), house.counts)
    house.serve("clickhouse", app, "ClickHouse  {}  (read-only)")
    house.at_stop.append(lambda: _end_statements(reader, house.store))


def _act(house: House) -> None:
    """Carry out what other commands change in an embedded ledger."""
    if not house.options.embedded:
        return
    from farebox_collector._admin import Admin

    admin = Admin(house.store, house.token, house.counts, house.settled)
    house.stack.callback(admin.close, STOP_S_MAX)
    house.serve("admin", admin.app())


def _view(house: House) -> None:
    """Serve the viewer if it is installed; it checks hosts itself, since beyond loopback a token replaces names."""
    options = house.options
    if house.reader is None:
        app = find_viewer(ask_server(options.dsn), options.viewer_token)
    else:
        from farebox_collector._tables import Tables

        tables = Tables(options.dsn.folder, options.dsn.database)
        house.stack.callback(tables.close)
        app = find_viewer(ask_embedded(house.reader, options.dsn.database), options.viewer_token, tables)
    if app is None:
        house.ports["viewer"].close()
        house.greeting.append("Viewer      not installed; run: pip install 'farebox[dashboards]'")
    else:
        house.serve("viewer", app, "Viewer      {}", hosts=["*"])


def _watch(house: House) -> None:
    """Write how the collector itself does into the ledger's database, once a minute."""
    watch = Watch(house.store.new_client(), house.counts, house.journal.gauges)
    house.stack.callback(watch.close, STOP_S_MAX)


# What `farebox up` consists of, in the order of its start. A part takes what it needs from the house, and leaves there
# how it is closed (`stack`), what it serves (`serve`), and what must end before the servers do (`at_stop`).
PARTS: tuple[Callable[[House], None], ...] = (
    _watch_prices,
    _take_in,
    _watch,
    _refresh,
    _watch_alerts,
    _answer_readers,
    _act,
    _view,
)


def _engine(options: Options, stack: ExitStack) -> dict[str, str]:
    """Start-up options of the embedded ClickHouse: its user has no rights to files, networks and programs.

    chDB reads users.xml only beside a configuration file.
    """
    if not options.embedded:
        return {}
    memory = f"<max_server_memory_usage>{options.memory_bytes_max}</max_server_memory_usage>"
    config = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="farebox-"))) / "engine.xml"
    config.write_text(
        f"<clickhouse>{memory if options.memory_bytes_max else ''}{backup_config(options.dsn.folder)}</clickhouse>",
        encoding="utf-8",
    )
    return {"config-file": str(config), "users_config": str(files("farebox_collector") / "engine" / "users.xml")}


def _keep_drafts_in(folder: Path) -> None:
    """Write the files that inserts pass through beside the ledger, and drop those that a crash left behind.

    clickhouse-connect 1.12 hands rows to chDB by way of a temporary file.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    tempfile.tempdir = str(folder)


async def _serve(house: House) -> None:
    """Serve until a signal, then let what is in work finish: answers all, statements only for a moment."""
    stopping = _handle_signals()
    async with asyncio.TaskGroup() as tasks:
        if house.grpc is not None:
            await house.grpc.start()
            house.greeting.insert(1, f"OTLP/gRPC   {house.grpc.host}:{house.grpc.port}")
        for server in house.servers.values():
            tasks.create_task(server.run_until_stopped())
        while not all(server.started for server in house.servers.values()):
            await asyncio.sleep(STARTED_POLL_S)
        if house.options.embedded:
            ports = {name: server.port for name, server in house.servers.items()}
            with _sentence_for_disks():
                announce(house.options.dsn, ports["otlp"], ports["clickhouse"], ports["admin"], ports.get("viewer", 0))
        print("\n".join([*house.greeting, f"Ledger      {house.options.dsn}"]), flush=True)  # noqa: T201
        await stopping.wait()
        for server in house.servers.values():
            server.stop()
        if house.grpc is not None:
            tasks.create_task(house.grpc.stop())
        for end in house.at_stop:
            await asyncio.to_thread(end)


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
    _log.warning("Not everything came to its end in time; what was acknowledged is stored, or in the journal")
    os._exit(0)


def _end_statements(reader: Reader, store: Store) -> None:
    """Give statements a moment, then cancel them: the engine cannot close around a running one."""
    if reader.close(STATEMENTS_S_MAX):
        return
    with store.new_client() as client:
        client.command("KILL QUERY WHERE query_kind = 'Select' AND query_id != queryID() ASYNC")
    reader.close(STATEMENTS_S_MAX)
