"""What the demo plays on: a ledger with its `farebox up`, the simulated providers, and a folder for both."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from farebox.settings import SETTINGS, setting
from farebox_demo.errors import DemoError
from farebox_demo.lifecycle import Child, Supervisor, free_port, wipe
from farebox_ledger import Dsn, LedgerError, Up, open_reader, parse_dsn, running

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

__all__ = ["FOLDER", "Ledger", "Providers", "open_ledger", "open_providers"]

FOLDER = Path(".farebox-demo")
READY_S = 60.0
IDLE_S = 20.0
STOP_S = 6.0
LOOK_EVERY_S = 0.02

Answer = TypeVar("Answer")
Say = Callable[[str], None]


@dataclass
class Ledger:
    """A ledger with a running `farebox up`; `supervisor` is None where somebody else runs it."""

    dsn: Dsn
    supervisor: Supervisor | None
    otlp_port: int
    clickhouse_port: int
    viewer_port: int

    def check(self) -> None:
        """Raise what is wrong with `farebox up`, if anything is.

        Raises:
            DemoError: it ended again and again.
        """
        if self.supervisor is not None:
            self.supervisor.check()

    def wait_ready(self) -> Up:
        """Wait until `farebox up` listens, and say where.

        Raises:
            DemoError: it does not within READY_S, or ended again and again.
        """
        until = time.monotonic() + READY_S
        while (up := running(self.dsn)) is None:
            self.check()
            if time.monotonic() > until:
                raise DemoError(
                    f"`farebox up` on {self.dsn} does not listen after {READY_S:.0f} s; see {FOLDER}/up.log"
                )
            time.sleep(LOOK_EVERY_S)
        return up

    def read(self, question: Callable[[Client], Answer]) -> Answer:
        """Put a question to the ledger; again if `farebox up` was killed meanwhile.

        Raises:
            LedgerError: the ledger cannot be read.
        """
        from clickhouse_connect.driver.exceptions import ClickHouseError

        while True:
            up = self.wait_ready()
            try:
                with open_reader(self.dsn) as client:
                    return question(client)
            except (ClickHouseError, LedgerError):
                if not self._leaves(up):
                    raise

    def _leaves(self, up: Up) -> bool:
        """Tell whether the `farebox up` that did not answer is gone, or being stopped and soon gone."""
        until = time.monotonic() + STOP_S
        while running(self.dsn) == up:
            if time.monotonic() > until:
                return False
            time.sleep(LOOK_EVERY_S)
        return True


@contextmanager
def open_ledger(say: Say) -> Iterator[Ledger]:
    """Use the `farebox up` of the configured ledger if there is one, else run one on a fresh ledger of the demo's own.

    It starts in the background: `wait_ready` before use.

    Raises:
        DemoError: another demo is running here.
    """
    configured = parse_dsn(setting("dsn"))
    up = running(configured)
    if up is not None:
        say(f"Using the `farebox up` that runs on {configured} (process {up.pid}).")
        FOLDER.mkdir(exist_ok=True)
        yield Ledger(configured, None, up.otlp_port, up.clickhouse_port, up.viewer_port)
        return
    dsn = parse_dsn(f"chdb:{FOLDER}")
    other = running(dsn)
    if other is not None:
        raise DemoError(f"another demo runs in {FOLDER} (process {other.pid}); stop it, or start this one elsewhere")
    wipe(FOLDER)
    ports = {name: _port(name, say) for name in ("otlp_port", "clickhouse_port", "viewer_port")}
    command = ["-m", "farebox_demo.leash", "farebox", "up", "--dsn", f"chdb:{FOLDER}"]
    for name, port in ports.items():
        command += [f"--{name.replace('_', '-')}", str(port)]
    command += ["--grpc-port", str(_port("grpc_port", say))]
    supervisor = Supervisor("farebox up", lambda: Child(command, FOLDER / "up.log"), say)
    try:
        yield Ledger(dsn, supervisor, **ports)
    finally:
        supervisor.stop()


def _port(name: str, say: Say) -> int:
    preferred = setting(name)
    port = free_port(preferred)
    if port != preferred and preferred:
        say(f"Port {preferred} is taken; {SETTINGS[name].sentence.split(' in `')[0].rstrip('.')}: {port}.")
    return port


@dataclass
class Providers:
    """The simulated providers, and the invoice they write."""

    url: str
    invoice: Path
    child: Child

    def check(self) -> None:
        """Raise how the providers' process ended, if it did.

        Raises:
            DemoError: it ended; its answers and its invoice are not whole.
        """
        if self.child.ended() is not None:
            raise DemoError(self.child.last_words())

    def wait_idle(self) -> None:
        """Wait until no attempt is under way, so that each has its invoice line.

        Raises:
            DemoError: one still is after IDLE_S, or the process ended.
        """
        until = time.monotonic() + IDLE_S
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        while True:
            self.check()
            with opener.open(f"{self.url}/", timeout=IDLE_S) as response:
                in_flight = json.load(response)["in_flight"]
            if not in_flight:
                return
            if time.monotonic() > until:
                raise DemoError(f"{in_flight} calls are still under way at the providers after {IDLE_S:.0f} s")
            time.sleep(LOOK_EVERY_S)


@contextmanager
def open_providers(seed: int, run: str) -> Iterator[Providers]:
    """Start the providers' process and wait until it listens; the folder must be there."""
    invoice = FOLDER / f"invoice-{run}.jsonl"
    command = ["-m", "farebox_demo.providers", "--seed", str(seed), "--invoice", str(invoice), "--until-stdin-ends"]
    child = Child(command, FOLDER / "providers.log", reads_output=True)
    try:
        port = json.loads(child.first_line())["port"]
        yield Providers(f"http://127.0.0.1:{port}", invoice, child)
    finally:
        child.stop()
