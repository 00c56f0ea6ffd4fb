"""Many clients with a book of what they sent, a collector under fire, and at the end the ledger against the books.

    make chaos                         # 200 seeds
    make chaos CHAOS="--seeds 17"      # one again: the same clients, the same misfortunes

A full disk needs a disk of its own, which is mounted where that is allowed (root on Linux); elsewhere that is left out.
What a seed fixes is who sends what and what goes wrong in which order; how the threads interleave it does not.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

import farebox_up
from end_to_end.chaos_client import Client

__all__ = ["Outcome", "run", "template"]

CLIENTS_MAX = 8
COMMAND = [sys.executable, "-m", "end_to_end.jumping_clock", "up"]
TESTS = Path(__file__).parent.parent
PYTHONPATH = os.pathsep.join(filter(None, [str(TESTS), os.environ.get("PYTHONPATH")]))
SETTLE_S_MAX = 60.0
DISK = "512m"


@dataclass
class Outcome:
    """What one seed came to; `faults` are sentences, none if every book was right."""

    seed: int
    faults: list[str] = field(default_factory=list)
    misfortunes: list[str] = field(default_factory=list)
    acknowledged: int = 0
    unanswered: int = 0
    seconds: float = 0.0

    def __str__(self) -> str:
        verdict = "; ".join(self.faults) or "books equal"
        return (
            f"seed {self.seed}: {self.acknowledged} spans acknowledged, {self.unanswered} unanswered, "
            f"{len(self.misfortunes)} misfortunes ({', '.join(self.misfortunes)}), {self.seconds:.0f} s: {verdict}"
        )


class _Collector:
    """One `farebox up` on a folder, again and again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.own_disk = os.path.ismount(folder.parent)
        self.ballast = folder.parent / "ballast"
        self.clock = folder.parent.parent / f"clock-{folder.parent.name}"
        self.errors: list[str] = []
        self.up = self._start()

    @property
    def address(self) -> str:
        return self.up.otlp

    def kill(self, _: random.Random) -> None:
        self._end(signal.SIGKILL)

    def terminate(self, _: random.Random) -> None:
        self._end(signal.SIGTERM)

    def freeze(self, dice: random.Random) -> None:
        """The process stands still for a moment, as under a heavy swap or in a paused machine."""
        self.up.process.send_signal(signal.SIGSTOP)
        time.sleep(dice.uniform(0.1, 1.0))
        self.up.process.send_signal(signal.SIGCONT)

    def fill_disk(self, dice: random.Random) -> None:
        """The disk is full for a moment, or has less left than ClickHouse wants for a part."""
        left, seconds = dice.choice([0, 100_000, 900_000]), dice.uniform(0.1, 1.5)
        if self.own_disk:
            self._ballast(left)
            time.sleep(seconds)
            self.ballast.unlink()

    def fill_disk_and_kill(self, dice: random.Random) -> None:
        left, seconds = dice.choice([0, 100_000, 900_000]), dice.uniform(0.1, 1.5)
        if self.own_disk:
            self._ballast(left)
            time.sleep(seconds)
        self._end(signal.SIGKILL)

    def take_journal_away(self, dice: random.Random) -> None:
        """The journal's folder is not there for a moment, as after a mount that went away."""
        away = self.folder / "away"
        (self.folder / "journal").rename(away)
        time.sleep(dice.uniform(0.1, 0.6))
        away.rename(self.folder / "journal")

    def jump(self, dice: random.Random) -> None:
        self.clock.write_text(str(dice.choice([-1e7, -3600.0, 0.0, 3600.0, 1e6])))

    def stop(self) -> None:
        self._end(signal.SIGTERM, again=False)

    def _ballast(self, left: int) -> None:
        free = os.statvfs(self.folder)
        with suppress(OSError), self.ballast.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, max(free.f_bavail * free.f_frsize - left, 1))

    def _end(self, number: int, *, again: bool = True) -> None:
        self.up.stop(number)
        self.ballast.unlink(missing_ok=True)
        self.errors += self.up.errors
        self.up.end()
        if again:
            self.up = self._start()

    def _start(self) -> farebox_up.Up:
        os.environ["CHAOS_CLOCK"] = str(self.clock)
        os.environ["PYTHONPATH"] = PYTHONPATH
        return farebox_up.start(self.folder, COMMAND)


MISFORTUNES = (
    "kill",
    "kill",
    "kill",
    "terminate",
    "freeze",
    "fill_disk",
    "fill_disk_and_kill",
    "take_journal_away",
    "jump",
)


def template(folder: Path) -> Path:
    """Make an empty ledger to begin from, once: migrating one takes longer than a short run."""
    up = farebox_up.start(folder)
    up.stop()
    up.end()
    return folder


@contextmanager
def disk(folder: Path) -> Iterator[None]:
    """Give a folder a small disk of its own, where that is allowed; elsewhere no disk gets full."""
    words = ["mount", "-t", "tmpfs", "-o", f"size={DISK}", "farebox-chaos", str(folder)]
    mounted = shutil.which("mount") and subprocess.run(words, capture_output=True, check=False).returncode == 0
    try:
        yield
    finally:
        if mounted:
            subprocess.run(["umount", str(folder)], check=True)


def run(seed: int, empty: Path, folder: Path, misfortunes: int, keep: Path | None = None) -> Outcome:
    """Let clients send while so many things go wrong, and hold the ledger against their books.

    The ledger of a seed that went wrong is copied to `keep`.
    """
    with disk(folder):
        outcome = _run(seed, empty, folder, misfortunes)
        if outcome.faults and keep:
            shutil.copytree(folder, keep / str(seed), symlinks=True)
    return outcome


def _run(seed: int, empty: Path, folder: Path, misfortunes: int) -> Outcome:
    began = time.monotonic()
    dice = random.Random(seed)
    shutil.copytree(empty, folder / "ledger", symlinks=True)
    outcome = Outcome(seed)
    collector = _Collector(folder / "ledger")
    clients = [
        Client(1_000_000 * number, random.Random(seed * 1000 + number), lambda: collector.address)
        for number in range(1, dice.randint(3, CLIENTS_MAX) + 1)
    ]
    try:
        for client in clients:
            client.start()
        for _ in range(misfortunes):
            _wait_for_more(clients, dice.randint(1, 400))
            name = dice.choice(MISFORTUNES)
            outcome.misfortunes.append(name)
            getattr(collector, name)(dice)
        _wait_for_more(clients, dice.randint(1, 200))
        for client in clients:
            client.finish()
        for client in clients:
            client.join()
        _compare(collector, clients, outcome)
        collector.stop()
    finally:
        for client in clients:
            client.give_up()
        collector.up.end()
    if any("Traceback" in line for line in collector.errors):
        outcome.faults.append("a traceback: " + "".join(collector.errors)[-2000:])
    outcome.seconds = time.monotonic() - began
    return outcome


def _wait_for_more(clients: list[Client], more: int) -> None:
    """Wait until so many more spans are acknowledged, some seconds at most: then things go wrong while they do."""
    target = sum(len(client.acknowledged) for client in clients) + more
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline and sum(len(client.acknowledged) for client in clients) < target:
        time.sleep(0.01)


def _compare(collector: _Collector, clients: list[Client], outcome: Outcome) -> None:
    """Hold the ledger against the books, span by span, to the last digit."""
    acknowledged = {number: cost for client in clients for number, cost in client.acknowledged.items()}
    unanswered = {number: cost for client in clients for number, cost in client.unanswered.items()}
    outcome.acknowledged, outcome.unanswered = len(acknowledged), len(unanswered)
    outcome.faults += [fault for client in clients for fault in client.faults]
    try:
        farebox_up.wait_until(lambda: collector.up.gauges()["journal_segments"] == 0, SETTLE_S_MAX)
    except AssertionError:
        outcome.faults.append(f"the journal is not loaded: {collector.up.gauges()} {collector.up.errors[-5:]}")
    rows = collector.up.rows("SELECT toString(hex(span_id)), list_cost FROM llm_attempts")
    ledger: dict[int, Decimal | None] = {}
    for name, cost in rows:
        if int(name, 16) in ledger:
            outcome.faults.append(f"{name} is there twice")
        ledger[int(name, 16)] = cost
    known = {**unanswered, **acknowledged}
    missing = [number for number in acknowledged if number not in ledger]
    foreign = [number for number in ledger if number not in known]
    wrong = [number for number in ledger if number in known and ledger[number] != known[number]]
    if missing:
        outcome.faults.append(f"{len(missing)} acknowledged spans are missing, e.g. {missing[:3]}")
    if foreign:
        outcome.faults.append(f"{len(foreign)} spans were never sent, e.g. {foreign[:3]}")
    if wrong:
        outcome.faults.append(
            f"{len(wrong)} spans have another cost, e.g. {wrong[0]}: {ledger[wrong[0]]} not {known[wrong[0]]}"
        )
    total = collector.up.rows("SELECT sum(list_cost) FROM llm_attempts")[0][0]
    if total != sum((known[number] for number in ledger if number in known), Decimal(0)):
        outcome.faults.append(f"the ledger's total is {total}")
    if list((collector.folder / "quarantine").glob("*.journal")):
        outcome.faults.append("something is in quarantine")


def _seeds(text: str) -> list[int]:
    first, _, last = text.partition("-")
    return list(range(int(first), int(last or first) + 1))


def _main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=_seeds, default=list(range(1, 201)), help="1-200, or one of them")
    parser.add_argument("--misfortunes", type=int, default=6, help="how many things go wrong in each")
    parser.add_argument("--keep", type=Path, help="where the ledgers of seeds that went wrong stay")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        empty = template(Path(scratch) / "empty")
        bad = 0
        for seed in args.seeds:
            folder = Path(scratch) / str(seed)
            folder.mkdir()
            outcome = run(seed, empty, folder, args.misfortunes, args.keep)
            print(outcome, flush=True)
            bad += bool(outcome.faults)
            shutil.rmtree(folder)
    print(f"{len(args.seeds) - bad} of {len(args.seeds)} seeds: every acknowledged span once, money to the last digit")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(_main())
