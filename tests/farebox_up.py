"""Runs `farebox up` as a process of its own, since chDB allows one folder a process."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import requests

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

__all__ = ["COMMAND", "HEARING", "Up", "environment", "read_greeting", "start", "wait_until"]

COMMAND = [sys.executable, "-c", "import sys; from farebox._cli import main; sys.exit(main())", "up"]
START_S_MAX = 60.0
STOP_S_MAX = 20.0
# A shell lets its background jobs ignore Ctrl-C, and all they start inherits that, these tests too: hear it again.
HEARING = "import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_DFL); os.execv(sys.argv[1], sys.argv[1:])"


@dataclass
class Up:
    """One `farebox up` that listens on ports of its own choice; `errors` is what it wrote to stderr so far."""

    folder: Path
    process: subprocess.Popen[str]
    errors: list[str] = field(default_factory=list)
    otlp: str = ""
    grpc: str = ""
    clickhouse_port: int = 0
    viewer: str = ""

    def post(
        self, body: bytes, headers: Mapping[str, str] | None = None, path: str = "/v1/traces"
    ) -> requests.Response:
        """Send a body as it is; it is protobuf unless the headers say otherwise."""
        headers = {"Content-Type": "application/x-protobuf", **(headers or {})}
        return requests.post(self.otlp + path, data=body, headers=headers, timeout=30)

    def counts(self) -> dict[str, int]:
        """Ask for the totals since the start."""
        found: dict[str, int] = requests.get(self.otlp + "/healthz", timeout=10).json()["counts"]
        return found

    def gauges(self) -> dict[str, float]:
        """Ask for what is measured now: the journal, above all."""
        found: dict[str, float] = requests.get(self.otlp + "/healthz", timeout=10).json()["gauges"]
        return found

    def client(self, **options: Any) -> Client:
        """Connect to the read-only ClickHouse interface."""
        import clickhouse_connect

        return clickhouse_connect.get_client(host="127.0.0.1", port=self.clickhouse_port, database="farebox", **options)

    def rows(self, sql: str) -> list[Any]:
        """Ask one question over HTTP."""
        with self.client() as client:
            return list(client.query(sql).result_rows)

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send a signal and wait for the end; gives the exit code."""
        self.process.send_signal(number)
        return self.process.wait(STOP_S_MAX)

    def end(self) -> None:
        """Kill it if it still runs, and let go of its pipes."""
        self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()


def environment(**settings: str) -> dict[str, str]:
    """Make an environment without our own variables but those given."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("FAREBOX_", "OTEL_"))}
    # Any free port: tests run beside each other.
    kept["FAREBOX_VIEWER_PORT"] = kept["FAREBOX_GRPC_PORT"] = "0"
    return kept | {f"FAREBOX_{name.upper()}": value for name, value in settings.items()}


def start(folder: Path, command: Sequence[str] = COMMAND, *, dsn: str = "", otlp_port: int = 0, **settings: str) -> Up:
    """Start `farebox up` on a folder, or on a server's ledger, and wait until it listens; 0 means any port."""
    process = subprocess.Popen(
        [*command, "--dsn", dsn or f"chdb:{folder}", "--otlp-port", str(otlp_port), "--clickhouse-port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(**settings),
    )
    return read_greeting(Up(folder, process))


def read_greeting(up: Up) -> Up:
    """Wait until a process listens, and learn where."""
    threading.Thread(target=_collect, args=(up.process.stderr, up.errors), daemon=True).start()
    greeting = _greeting(up)
    found = re.findall(r"^(\S+) +(?:(https?)://)?\S+:(\d+)\b", greeting, re.MULTILINE)
    where = {name: (scheme, int(port)) for name, scheme, port in found}
    scheme, port = where["OTLP/HTTP"]
    up.otlp = f"{scheme}://127.0.0.1:{port}"
    up.clickhouse_port = where["ClickHouse"][1] if "ClickHouse" in where else 0
    up.grpc = f"127.0.0.1:{where['OTLP/gRPC'][1]}" if "OTLP/gRPC" in where else ""
    up.viewer = f"http://127.0.0.1:{where['Viewer'][1]}" if "Viewer" in where else ""
    return up


def wait_until(condition: Callable[[], bool], timeout_s: float = 20) -> None:
    """Wait for something to become true."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def _collect(stream: Any, lines: list[str]) -> None:
    with stream:
        lines.extend(stream)


def _until_the_ledger(stream: Any, lines: list[str]) -> None:
    for line in stream:
        lines.append(line)
        if line.startswith("Ledger"):
            return


def _greeting(up: Up) -> str:
    """Read the lines that say where it listens; the ledger is the last."""
    lines: list[str] = []
    stdout = up.process.stdout
    assert stdout is not None
    reader = threading.Thread(target=_until_the_ledger, args=(stdout, lines), daemon=True)
    reader.start()
    reader.join(START_S_MAX)
    greeting = "".join(lines)
    if "Ledger" not in greeting:
        up.end()
        raise AssertionError(f"`farebox up` did not start: {greeting!r} {''.join(up.errors)}")
    return greeting
