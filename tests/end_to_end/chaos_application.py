"""An application with a spool that is killed again and again: what it wrote down must reach the ledger.

    python -m end_to_end.chaos_application BOOK FIRST SEED

makes calls of a wrapped client, numbered from FIRST, and writes to the BOOK each call before it is made and, now and
then, up to which number all are on the disk or delivered. With `deliver` for a SEED it delivers what is left, and ends.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

from end_to_end.chaos_client import unit_cost

__all__ = ["TASK", "Application"]

TASK = "application-"
DELIVER = "deliver"
DELIVER_S_MAX = 60.0
LIFE_S = (0.5, 4.0)
TESTS = Path(__file__).parent.parent


class Application(threading.Thread):
    """Runs the application, kills it, and runs it again, until told to finish; then lets it deliver.

    `made` holds the cost of every call by number, `kept` those of them that were written down before each kill.
    """

    def __init__(self, folder: Path, dice: random.Random, address: Callable[[], str]) -> None:
        super().__init__(daemon=True)
        self.faults: list[str] = []
        self.kills = 0
        self._spool, self._book = folder / "spool", folder / "book"
        self._dice = dice
        self._address = address
        self._finishing = threading.Event()

    @property
    def made(self) -> dict[int, Decimal]:
        return {int(line[1]): unit_cost(int(line[2]), int(line[3])) for line in self._lines("made")}

    @property
    def kept(self) -> dict[int, Decimal]:
        last = max((int(line[1]) for line in self._lines("kept")), default=0)
        unsure = {int(line[1]) for line in self._lines("unsure")}
        return {number: cost for number, cost in self.made.items() if number <= last and number not in unsure}

    def finish(self) -> None:
        """Kill it once more and deliver what is left."""
        self._finishing.set()

    def run(self) -> None:
        while not self._finishing.is_set():
            process = self._start(str(self._dice.randrange(10**9)))
            self._finishing.wait(self._dice.uniform(*LIFE_S))
            process.send_signal(signal.SIGKILL)
            process.wait()
            self.kills += 1
            self._leave_out_what_was_not_kept()
        delivering = self._start(DELIVER)
        try:
            if delivering.wait(2 * DELIVER_S_MAX) != 0:
                self.faults.append("the application could not deliver what it had written down")
        except subprocess.TimeoutExpired:
            delivering.kill()
            self.faults.append("the application did not end")

    def _leave_out_what_was_not_kept(self) -> None:
        """Calls after the last time that all was written down may be lost: a later process's word is not about them."""
        last = max((int(line[1]) for line in self._lines("kept")), default=0)
        with self._book.open("a") as book:
            book.writelines(f"unsure {number}\n" for number in self.made if number > last)

    def _start(self, seed: str) -> subprocess.Popen[bytes]:
        first = max(self.made, default=0) + 1
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("FAREBOX_", "OTEL_"))}
        settings = {"FAREBOX_SPOOL_DIR": str(self._spool), "OTEL_EXPORTER_OTLP_ENDPOINT": self._address()}
        path = os.pathsep.join(filter(None, [str(TESTS), os.environ.get("PYTHONPATH")]))
        return subprocess.Popen(
            [sys.executable, "-m", "end_to_end.chaos_application", str(self._book), str(first), seed],
            env={**kept, **settings, "PYTHONPATH": path},
        )

    def _lines(self, kind: str) -> list[list[str]]:
        """Read the book's whole lines of a kind; the last one may be torn."""
        text = self._book.read_text() if self._book.exists() else ""
        words = [line.split() for line in text[: text.rfind("\n") + 1].splitlines()]
        return [line for line in words if line[0] == kind]


def _main(book: Path, number: int, seed: str) -> int:
    import anthropic
    import httpx2

    import farebox

    usage: dict[str, int] = {}

    def respond(_: httpx2.Request) -> httpx2.Response:
        message: dict[str, Any] = {"id": "m", "type": "message", "role": "assistant", "model": "claude-haiku-4-5"}
        rest = {"content": [{"type": "text", "text": "A word."}], "stop_reason": "end_turn", "stop_sequence": None}
        return httpx2.Response(200, content=json.dumps({**message, **rest, "usage": usage}).encode())

    http = httpx2.Client(transport=httpx2.MockTransport(respond))
    client = farebox.wrap(anthropic.Anthropic(api_key="k", http_client=http, max_retries=0))
    dice = random.Random(seed)
    with book.open("a", buffering=1) as file:
        while True:
            for _ in range(1 if seed == DELIVER else dice.randint(1, 20)):
                usage.update(input_tokens=dice.randint(0, 10**6), output_tokens=dice.randint(0, 10**5))
                file.write(f"made {number} {usage['input_tokens']} {usage['output_tokens']}\n")
                with farebox.tags(task=f"{TASK}{number}"):
                    client.messages.create(
                        model="claude-haiku-4-5", max_tokens=9, messages=[{"role": "user", "content": "Hi"}]
                    )
                number += 1
            if seed == DELIVER:
                delivered = farebox.flush(DELIVER_S_MAX)
                file.write(f"kept {number - 1}\n" if delivered else "")
                return 0 if delivered else 1
            if _nothing_in_memory(5.0):
                file.write(f"kept {number - 1}\n")


def _nothing_in_memory(timeout_s: float) -> bool:
    """Say whether all calls so far are delivered or on the disk, waiting a little for it."""
    from farebox._recorder import recorder
    from farebox._spans import farebox_sender

    sender, deadline = farebox_sender(), time.monotonic() + timeout_s
    if sender is None or not recorder().drain(timeout_s):
        return False
    while sender.waiting > sender.spooled and time.monotonic() < deadline:
        time.sleep(0.01)
    return bool(sender.waiting == sender.spooled)


if __name__ == "__main__":
    sys.exit(_main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]))
