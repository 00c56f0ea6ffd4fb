"""One `farebox up` that is killed, frozen, starved and started again, and the misfortunes that it meets."""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from pathlib import Path
from typing import Any

import farebox_up
from collector.server_process import Server
from end_to_end.disks import Disk

from farebox_collector._files import sync_folder
from farebox_demo.lifecycle import free_port

__all__ = ["MISFORTUNES", "OF_A_DISK", "OF_A_SERVER", "Collector"]

TESTS = Path(__file__).parent.parent
COMMAND = [sys.executable, "-m", "end_to_end.jumping_clock", "up"]
# What can go wrong anywhere, where the journal has a real disk, and where the ledger is a server's.
MISFORTUNES = ("kill", "kill", "kill", "terminate", "freeze", "fill_disk", "fill_disk_and_kill")
MISFORTUNES += ("take_journal_away", "jump")
OF_A_DISK = ("turn_read_only", "cut_power", "cut_power")
SYNC_S = 0.1
OF_A_SERVER = ("take_server_away", "take_server_away", "freeze_server", "kill_all")


class Collector:
    """A `farebox up` on a disk, its ledger there too or, given one, on a server; its address stays the same."""

    def __init__(self, disk: Disk, clock: Path, server: Server | None = None) -> None:
        self.folder = disk.folder / "ledger"
        self.errors: list[str] = []
        self._disk = disk
        self._clock = clock
        self._server = server
        self._port = free_port(0)
        self._boots = 0
        self.up = self._start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def rows(self, sql: str) -> list[Any]:
        """Ask the ledger one question."""
        return self.up.rows(sql) if self._server is None else self._server.rows(sql)

    def kill(self, _: random.Random) -> None:
        self._end(signal.SIGKILL)
        self.up = self._start()

    def terminate(self, _: random.Random) -> None:
        self._end(signal.SIGTERM)
        self.up = self._start()

    def freeze(self, dice: random.Random) -> None:
        """The process stands still for a moment, as under a heavy swap or in a paused machine."""
        self.up.process.send_signal(signal.SIGSTOP)
        time.sleep(dice.uniform(0.1, 1.0))
        self.up.process.send_signal(signal.SIGCONT)

    def fill_disk(self, dice: random.Random) -> None:
        """The disk is full for a moment, or has less left than ClickHouse wants for a part."""
        self._disk.fill(dice.choice([0, 100_000, 900_000]))
        time.sleep(dice.uniform(0.1, 1.5))
        self._disk.empty()

    def fill_disk_and_kill(self, dice: random.Random) -> None:
        self._disk.fill(dice.choice([0, 100_000, 900_000]))
        time.sleep(dice.uniform(0.1, 1.5))
        self._end(signal.SIGKILL)
        self._disk.empty()
        self.up = self._start()

    def take_journal_away(self, dice: random.Random) -> None:
        """The journal's folder is not there for a moment, as after a mount that went away."""
        away = self.folder / "away"
        (self.folder / "journal").rename(away)
        time.sleep(dice.uniform(0.1, 0.6))
        away.rename(self.folder / "journal")
        sync_folder(self.folder)  # a mount that comes back is back, whatever happens to the power

    def turn_read_only(self, dice: random.Random) -> None:
        """The file system turns read-only under the running process, which is killed, or stopped in order."""
        self.up.process.send_signal(signal.SIGSTOP)
        time.sleep(SYNC_S)  # one that is under way might be told that it succeeded
        self._disk.turn_read_only()
        self.up.process.send_signal(signal.SIGCONT)
        time.sleep(dice.uniform(0.1, 1.5))
        self._end(dice.choice([signal.SIGKILL, signal.SIGTERM]))
        self._restart_machine()
        self.up = self._start()

    def cut_power(self, _: random.Random) -> None:
        """The plug is pulled: what is not synced is lost, ClickHouse's files among it.

        Processes end with the disk: one that lived on would be told by Linux 6.18, now and then, that a sync succeeded.
        """
        self.up.process.send_signal(signal.SIGSTOP)
        self._disk.cut_power()
        self._end(signal.SIGKILL)
        self._restart_machine()
        self.up = self._start()

    def jump(self, dice: random.Random) -> None:
        self._clock.write_text(str(dice.choice([-1e7, -3600.0, 0.0, 3600.0, 1e6])))

    def take_server_away(self, dice: random.Random) -> None:
        assert self._server is not None
        self._server.kill()
        time.sleep(dice.uniform(0.1, 2.0))
        self._server.start()

    def freeze_server(self, dice: random.Random) -> None:
        """The server takes connections and says nothing."""
        assert self._server is not None
        self._server.freeze()
        time.sleep(dice.uniform(0.5, 3.0))
        self._server.thaw()

    def kill_all(self, _: random.Random) -> None:
        """Server and collector die together, and the server is back first."""
        assert self._server is not None
        self._server.kill()
        self._end(signal.SIGKILL)
        self._server.start()
        self.up = self._start()

    def _restart_machine(self) -> None:
        self._disk.mount_again()
        self._boots += 1

    def stop(self) -> None:
        self._end(signal.SIGTERM)

    def _end(self, number: int) -> None:
        self.up.stop(number)
        self.errors += self.up.errors
        self.up.end()

    def _start(self) -> farebox_up.Up:
        boot = self._clock.with_name("boot")
        boot.write_text(f"boot {self._boots}")
        os.environ |= {"CHAOS_CLOCK": str(self._clock), "CHAOS_BOOT": str(boot)}
        path = os.environ.get("PYTHONPATH", "")
        if str(TESTS) not in path.split(os.pathsep):
            os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(TESTS), path]))
        dsn, settings = "", {}
        if self._server is not None:
            dsn, settings = self._server.dsn, {"journal": str(self.folder)}
        return farebox_up.start(self.folder, COMMAND, dsn=dsn, otlp_port=self._port, **settings)
