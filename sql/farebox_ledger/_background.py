"""A thread that works on a ledger again and again, beside whoever holds it."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

__all__ = ["Background"]


class Background(ABC):
    """Works until it is closed, and then closes its client; begins when it is made."""

    def __init__(self, client: Client, name: str) -> None:
        self._client = client
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def close(self, timeout_s: float) -> bool:
        """End after the step in work; False when that took longer than the time given."""
        self._closing.set()
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            pause_s = self._first_pause_s()
            while not self._closing.wait(pause_s):
                pause_s = self._step()
        finally:
            self._client.close()

    @abstractmethod
    def _first_pause_s(self) -> float:
        """Say how long to wait before the first step."""

    @abstractmethod
    def _step(self) -> float:
        """Work, and say how long to rest; raises nothing, since a thread that ends would be missed."""
