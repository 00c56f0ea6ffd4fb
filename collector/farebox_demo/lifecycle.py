"""Starts the demo's processes, starts them again when they are killed, and leaves none behind."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from farebox_demo.errors import DemoError

__all__ = ["Child", "Supervisor", "clear_environment", "free_port", "wipe"]

STOP_S = 8.0
LOOK_EVERY_S = 0.05
SHORT_LIFE_S = 1.0
SHORT_LIVES_MAX = 3

FOLDER_MARK = ".demo"  # tells a demo's folder from one that only has its name


class Child:
    """A process that ends with this one: it watches a pipe that only we hold. Its words go to a log file."""

    def __init__(self, command: Sequence[str], log: Path, *, reads_output: bool = False) -> None:
        self.started_at = time.monotonic()
        self.log = log
        with log.open("ab") as file:
            self.process = subprocess.Popen(  # noqa: S603 - our own modules, by this interpreter
                [sys.executable, *command],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE if reads_output else file,
                stderr=file,
                # A Ctrl-C in the terminal is ours alone to handle: we stop the children in order.
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """Process id."""
        return self.process.pid

    def ended(self) -> int | None:
        """Return the exit code (minus a signal's number), None while it runs."""
        return self.process.poll()

    def first_line(self) -> str:
        """Wait for the first line that it prints.

        Raises:
            DemoError: it ended without one.
        """
        assert self.process.stdout is not None
        line = self.process.stdout.readline().decode()
        if not line:
            self.process.wait()
            raise DemoError(self.last_words())
        return line

    def last_words(self) -> str:
        """Say how it ended and what its log says last."""
        lines = self.log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        said = lines[-1] if lines else "it said nothing"
        return f"a process of the demo ended with exit code {self.ended()}: {said} (its log: {self.log})"

    def stop(self) -> None:
        """End it: the pipe's end asks it to, and after STOP_S nobody asks any more."""
        assert self.process.stdin is not None
        with suppress(BrokenPipeError):
            self.process.stdin.close()
        try:
            self.process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()


class Supervisor:
    """Keeps one process running: when it dies, says so and starts it again.

    `start` makes the process; `say` tells the user. A process that keeps dying young is given up.
    """

    def __init__(self, name: str, start: Callable[[], Child], say: Callable[[str], None]) -> None:
        self._name = name
        self._start = start
        self._say = say
        self._stopping = threading.Event()
        self._short_lives = 0
        self.child = start()
        self.restarts = 0
        self.failure: str | None = None
        self._thread = threading.Thread(target=self._watch, name=f"watch {name}", daemon=True)
        self._thread.start()

    def check(self) -> None:
        """Raise what happened to the process, if it was given up.

        Raises:
            DemoError: it ended again and again.
        """
        if self.failure is not None:
            raise DemoError(self.failure)

    def stop(self) -> None:
        """Stop watching and end the process."""
        self._stopping.set()
        self._thread.join()
        self.child.stop()

    def _watch(self) -> None:
        while not self._stopping.wait(LOOK_EVERY_S):
            code = self.child.ended()
            if code is None:
                continue
            young = time.monotonic() - self.child.started_at < SHORT_LIFE_S
            self._short_lives = self._short_lives + 1 if young else 0
            if self._short_lives >= SHORT_LIVES_MAX:
                self.failure = self.child.last_words()
                return
            pid, how = self.child.pid, f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
            self.child.stop()
            try:
                self.child = self._start()
            except OSError as error:
                self.failure = f"{self._name} {how} and cannot be started again: {error}"
                return
            self.restarts += 1
            self._say(f"{self._name} (process {pid}) {how}; started it again as process {self.child.pid}")


def free_port(preferred: int) -> int:
    """Return the preferred port of loopback if it is free, else any free one."""
    for port in (preferred, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with suppress(OSError):
                probe.bind(("127.0.0.1", port))
                chosen: int = probe.getsockname()[1]
                return chosen
    raise DemoError("no port of 127.0.0.1 is free; stop some program that listens there")


def wipe(folder: Path) -> None:
    """Remove what an earlier demo left in its folder, and make it anew.

    Raises:
        DemoError: the folder holds something, but not a demo's data.
    """
    if folder.exists():
        if any(folder.iterdir()) and not (folder / FOLDER_MARK).exists():
            raise DemoError(f"{folder} is in the demo's way and holds no demo data; move it elsewhere")
        shutil.rmtree(folder)
    folder.mkdir()
    (folder / FOLDER_MARK).touch()


def clear_environment(endpoint: str) -> None:
    """Send this process's spans to the endpoint, whatever the user's shell says, and keep loopback off proxies."""
    for name in [name for name in os.environ if name.startswith("OTEL_")]:
        del os.environ[name]
    os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"] = endpoint
    for name in ("NO_PROXY", "no_proxy"):
        os.environ[name] = ",".join(filter(None, [os.environ.get(name), "127.0.0.1", "localhost"]))
