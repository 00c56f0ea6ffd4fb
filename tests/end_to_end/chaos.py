"""Many clients with a book of what they sent, a collector under fire, and at the end the ledger against the books.

    make chaos                         # 200 seeds
    make chaos CHAOS="--seeds 17"      # one again: the same clients, the same misfortunes

A disk that gets full, turns read-only or loses its power must be mounted, which is for root on Linux; elsewhere that is
left out. In one seed of six the ledger is on a server, or what stands in for one; in one of four an application with a
spool is killed as well. What a seed fixes is who sends what and what goes wrong in which order; how the threads
interleave it does not.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import farebox_up
from collector.server_process import Server
from end_to_end.chaos_application import TASK, Application
from end_to_end.chaos_client import Client
from end_to_end.chaos_collector import MISFORTUNES, OF_A_DISK, OF_A_SERVER, Collector
from end_to_end.disks import Disk, disk

__all__ = ["Outcome", "run", "template"]

CLIENTS_MAX = 8
SETTLE_S_MAX = 60.0
WITH_APPLICATION, WITH_SERVER = 0.25, 1 / 6


@dataclass
class Outcome:
    """What one seed came to; `faults` are sentences, none if every book was right."""

    seed: int
    disk: str = ""
    server: bool = False
    faults: list[str] = field(default_factory=list)
    misfortunes: list[str] = field(default_factory=list)
    acknowledged: int = 0
    unanswered: int = 0
    seconds: float = 0.0

    def __str__(self) -> str:
        where = f"{self.disk} disk, {'server' if self.server else 'embedded'}"
        found = ", ".join(f"{name} x{n}" if n > 1 else name for name, n in Counter(self.misfortunes).items())
        return (
            f"seed {self.seed} ({where}): {self.acknowledged} spans acknowledged, {self.unanswered} unanswered; "
            f"{found}; {self.seconds:.0f} s: {'; '.join(self.faults) or 'books equal'}"
        )


def template(folder: Path) -> Path:
    """Make an empty ledger to begin from, once: migrating one takes longer than a short run."""
    up = farebox_up.start(folder)
    up.stop()
    up.end()
    return folder


def run(
    seed: int,
    empty: Path,
    folder: Path,
    misfortunes: int,
    keep: Path | None = None,
    names: Sequence[str] = (),
    *,
    application: bool | None = None,
    server: bool | None = None,
) -> Outcome:
    """Let clients send while so many things go wrong, and hold the ledger against their books.

    What goes wrong is the seed's choice, or what is named; so is whether there is an application, or a server. The
    ledger of a seed that went wrong is copied to `keep`.
    """
    dice = random.Random(seed)
    on_disk = folder / "disk"
    on_disk.mkdir()
    rolled_application, rolled_server = dice.random() < WITH_APPLICATION, dice.random() < WITH_SERVER
    application = rolled_application if application is None else application
    with disk(on_disk) as made:
        server_folder = folder / "server" if (rolled_server if server is None else server) else None
        outcome = _run(seed, dice, empty, made, misfortunes, names, application, server_folder)
        if outcome.faults and keep:
            shutil.copytree(folder, keep / str(seed), symlinks=True)
    return outcome


def _run(
    seed: int,
    dice: random.Random,
    empty: Path,
    on_disk: Disk,
    misfortunes: int,
    names: Sequence[str],
    with_application: bool,
    server_folder: Path | None,
) -> Outcome:
    began = time.monotonic()
    folder = on_disk.folder.parent
    shutil.copytree(empty, server_folder or on_disk.folder / "ledger", symlinks=True)
    os.sync()
    server = None if server_folder is None else Server(server_folder)
    outcome = Outcome(seed, on_disk.kind, server is not None)
    collector = Collector(on_disk, folder / "clock", server)
    clients = [
        Client(1_000_000 * number, random.Random(seed * 1000 + number), lambda: collector.address)
        for number in range(1, dice.randint(3, CLIENTS_MAX) + 1)
    ]
    applications = [Application(folder, random.Random(seed), lambda: collector.address)] if with_application else []
    threads = [*clients, *applications]
    possible = [*MISFORTUNES, *(OF_A_SERVER if server else ()), *(OF_A_DISK if on_disk.is_real else ())]
    chosen = list(names) or [dice.choice(possible) for _ in range(misfortunes)]
    try:
        for thread in threads:
            thread.start()
        for name in chosen:
            _wait_for_more(clients, dice.randint(1, 400))
            outcome.misfortunes.append(name)
            getattr(collector, name)(dice)
        _wait_for_more(clients, dice.randint(1, 200))
        for thread in threads:
            thread.finish()
        for thread in threads:
            thread.join()
        outcome.misfortunes += ["kill_application"] * sum(each.kills for each in applications)
        _compare(collector, clients, applications, outcome)
        collector.stop()
    finally:
        for client in clients:
            client.give_up()
        collector.up.end()
        if server is not None:
            server.kill()
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


def _compare(collector: Collector, clients: list[Client], applications: list[Application], outcome: Outcome) -> None:
    """Hold the ledger against the books, span by span, to the last digit, and the sums of hours against the rows."""
    kept: dict[Any, Decimal] = {number: cost for client in clients for number, cost in client.acknowledged.items()}
    open_: dict[Any, Decimal] = {number: cost for client in clients for number, cost in client.unanswered.items()}
    for each in applications:
        kept |= {f"{TASK}{number}": cost for number, cost in each.kept.items()}
        open_ |= {f"{TASK}{number}": cost for number, cost in each.made.items()}
    outcome.acknowledged, known = len(kept), {**open_, **kept}
    outcome.unanswered = len(known) - len(kept)
    outcome.faults += [fault for thread in (*clients, *applications) for fault in thread.faults]
    try:
        farebox_up.wait_until(lambda: collector.up.gauges()["journal_segments"] == 0, SETTLE_S_MAX)
    except AssertionError:
        outcome.faults.append(f"the journal is not loaded: {collector.up.gauges()} {collector.up.errors[-5:]}")
    ledger: dict[Any, Decimal | None] = {}
    for span_id, task, cost in collector.rows("SELECT toString(hex(span_id)), task, list_cost FROM llm_attempts"):
        name = task if task.startswith(TASK) else int(span_id, 16)
        if name in ledger:
            outcome.faults.append(f"{name} is there twice")
        ledger[name] = cost
    missing = [name for name in kept if name not in ledger]
    foreign = [name for name in ledger if name not in known]
    wrong = [name for name in ledger if name in known and ledger[name] != known[name]]
    if missing:
        outcome.faults.append(f"{len(missing)} acknowledged spans are missing, e.g. {missing[:3]}")
    if foreign:
        outcome.faults.append(f"{len(foreign)} spans were never sent, e.g. {foreign[:3]}")
    if wrong:
        outcome.faults.append(
            f"{len(wrong)} spans have another cost, e.g. {wrong[0]}: {ledger[wrong[0]]} not {known[wrong[0]]}"
        )
    expected = sum((known[name] for name in ledger if name in known), Decimal(0))
    for what in ("sum(list_cost) FROM llm_attempts", "sum(spend) FROM attempts_by_hour"):
        total = collector.rows(f"SELECT {what}")[0][0]
        if total != expected:
            outcome.faults.append(f"{what} is {total} instead of {expected}")
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
