"""A stand-in for a ClickHouse server as a process of its own, which can be killed, frozen and started again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import requests
from farebox_up import wait_until

from farebox_demo.lifecycle import free_port

__all__ = ["Server"]

TESTS = Path(__file__).parent.parent


class Server:
    """One on a folder and a port that stay the same."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port(0)
        self.dsn = f"clickhouse://default@127.0.0.1:{self.port}/farebox"
        self.start()

    def start(self) -> None:
        """Start it and wait until it answers."""
        self.process = subprocess.Popen(
            [sys.executable, "-m", "collector.clickhouse_stand_in", str(self.folder), str(self.port)],
            env={**os.environ, "PYTHONPATH": os.pathsep.join([str(TESTS), os.environ.get("PYTHONPATH", "")])},
        )
        wait_until(self._answers, 60)

    def kill(self) -> None:
        """End it without warning."""
        self.process.kill()
        self.process.wait()

    def freeze(self) -> None:
        """Have it stand still: it takes connections, and says nothing."""
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Have it go on."""
        self.process.send_signal(signal.SIGCONT)

    def rows(self, sql: str) -> list[tuple[object, ...]]:
        """Ask one question."""
        import clickhouse_connect

        with clickhouse_connect.get_client(host="127.0.0.1", port=self.port, database="farebox") as client:
            return list(client.query(sql).result_rows)

    def _answers(self) -> bool:
        try:
            return requests.get(f"http://127.0.0.1:{self.port}/ping", timeout=1).ok
        except requests.RequestException:
            return False
