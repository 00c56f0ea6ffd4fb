"""Do open viewers slow the collector down? Ten of them on a big ledger, while spans arrive.

    PYTHONPATH=tests:tests/benchmarks python tests/benchmarks/viewers.py
        [--attempts 10000000] [--rate 5000] [--alone 20] [--seconds 180] [--folder F]

`farebox up` runs on the ledger of `ledger.py`. Spans that begin where it ends are sent at a rate, first alone, then
with viewers, opened one after the other, that each show a dashboard over the last day and ask anew every ten seconds,
all its panels and not only those in sight, six at a time as a browser does, if the last answers are there. As the page
does over a day, they take "now" in steps of half a minute. Printed are spans acknowledged a second without and with
viewers, what a panel takes when its dashboard is opened and when the page asks again, how old the answers are, and how
many cores `farebox up` used: other work on the machine stretches all of these.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import statistics
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import requests

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.ledger import BEGIN, DAYS, filled
from farebox_up import start
from otlp_messages import attempt, traces

from farebox_ledger import Dsn, open_store

BATCH = 500
EVERY_S = 10
STEP_S = 30  # of "now" over a day: time.ts
AT_ONCE = 6
ALL = ["$__all"]
END = BEGIN + timedelta(days=DAYS)


@dataclass(frozen=True)
class Took:
    """What a panel took, in seconds, how old its answer was, and whether its page had shown it before."""

    wait_s: float
    age_s: float
    again: bool


def send(url: str, first: int, rate: float, seconds: float, told: Any) -> None:
    """Send batches at a rate, each once the one before is acknowledged; tell how many spans were."""
    began, begin = time.monotonic(), round(END.timestamp() * 1e9)
    sent = 0
    with requests.Session() as session:
        while (now := time.monotonic()) - began < seconds:
            due = began + sent / rate
            if due > now:
                time.sleep(due - now)
            numbers = range(first + sent, first + sent + BATCH)
            at = begin + round(1e9 * (now - began))
            times = {"start_time_unix_nano": at, "end_time_unix_nano": at + 1_000_000}
            body = traces(*(attempt(number, **times) for number in numbers)).SerializeToString()
            headers = {"Content-Type": "application/x-protobuf"}
            if session.post(url + "/v1/traces", data=body, headers=headers, timeout=60).status_code == 200:
                sent += BATCH
    told.put(sent)


def arriving(url: str, first: int, rate: float, seconds: float, senders: int = 2) -> float:
    """Send from processes of their own; give the spans a second that were acknowledged."""
    context = multiprocessing.get_context("spawn")
    told = context.Queue()
    step = 10**9
    processes = [
        context.Process(target=send, args=(url, first + number * step, rate / senders, seconds, told))
        for number in range(senders)
    ]
    for process in processes:
        process.start()
    sent = sum(told.get() for _ in processes)
    for process in processes:
        process.join()
    return float(sent) / seconds


def watch(url: str, uid: str, first: float, later_s: float, until: float, took: list[Took]) -> None:
    """Show one dashboard until a moment, and note what each panel takes.

    first: when the first viewer opened, the same for all; later_s: so much later this one does.
    """
    time.sleep(later_s)
    session = requests.Session()
    board = session.get(f"{url}/api/dashboards/{uid}", timeout=60).json()
    names = {each["name"]: ALL if each.get("includeAll") else "" for each in board["templating"]["list"]}
    names.pop("datasource", None)
    panels = [each["id"] for each in board["panels"] if each.get("targets")]

    def ask(panel: int, *, again: bool) -> None:
        to = 1000 * round(END.timestamp() + -(-(time.monotonic() - first) // STEP_S) * STEP_S)
        body = {
            "dashboard": uid,
            "panel": panel,
            "from": to - 86_400_000,
            "to": to,
            "interval": 600_000,
            "variables": names,
            "again": again,
        }
        began = time.monotonic()
        answer = requests.post(url + "/api/panel", json=body, timeout=120)
        answer.raise_for_status()
        took.append(Took(time.monotonic() - began, answer.json()["age_s"], again))

    again = False
    with ThreadPoolExecutor(AT_ONCE) as tabs:
        while time.monotonic() < until:
            began = time.monotonic()
            list(tabs.map(partial(ask, again=again), panels))
            again = True
            time.sleep(max(0.0, min(EVERY_S - (time.monotonic() - began), until - time.monotonic())))


def measure(folder: Path, options: argparse.Namespace) -> None:
    """Run the collector on the ledger and print what was measured."""
    up = start(folder)
    try:
        started = cpu_s(up.process.pid)
        alone = arriving(up.otlp, 10**12, options.rate, options.alone)
        unseen = cpu_s(up.process.pid)
        boards = [each["uid"] for each in requests.get(up.viewer + "/api/dashboards", timeout=60).json()["dashboards"]]
        took: list[Took] = []
        first = time.monotonic()
        until = first + options.seconds
        watching = [
            threading.Thread(
                target=watch,
                args=(up.viewer, boards[number % len(boards)], first, number * EVERY_S / options.viewers, until, took),
            )
            for number in range(options.viewers)
        ]
        for each in watching:
            each.start()
        beside = arriving(up.otlp, 2 * 10**12, options.rate, options.seconds)
        for each in watching:
            each.join()
        seen = cpu_s(up.process.pid)
    finally:
        up.stop()
        up.end()
    print(f"spans acknowledged a second: {alone:,.0f} alone, {beside:,.0f} with {options.viewers} viewers")
    print(f"ratio {beside / alone:.2f}")
    used = (unseen - started) / options.alone, (seen - unseen) / options.seconds
    print(f"cores used by `farebox up`: {used[0]:.2f} alone, {used[1]:.2f} with viewers")
    say("panels, all", [each.wait_s for each in took])
    say("as a dashboard opens", [each.wait_s for each in took if not each.again])
    say("as a page asks again", [each.wait_s for each in took if each.again])
    say("age of the answers", [each.age_s for each in took])


def say(what: str, seconds: list[float]) -> None:
    """Print how something is spread."""
    if len(seconds) > 1:
        cuts = statistics.quantiles(seconds, n=20)
        spread = f"p50 {statistics.median(seconds):.2f} s, p95 {cuts[-1]:.2f} s, longest {max(seconds):.2f} s"
        print(f"{what:22} {len(seconds):6,}: {spread}")


def cpu_s(process: int) -> float:
    """Give the seconds of CPU that a process has used, its engine's threads included."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    """Fill a ledger, and watch it while spans arrive."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--attempts", type=int, default=10_000_000)
    parser.add_argument("--rate", type=float, default=5000)
    parser.add_argument("--viewers", type=int, default=10)
    parser.add_argument("--alone", type=float, default=20)
    parser.add_argument("--seconds", type=float, default=180)
    parser.add_argument("--folder", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary) / "ledger"
        # The embedded ClickHouse leaves a folder only with its process.
        process = multiprocessing.get_context("spawn").Process(target=fill, args=(folder, options.attempts))
        process.start()
        process.join()
        measure(folder, options)


def fill(folder: Path, attempts: int) -> None:
    """Fill the ledger, in a process of its own."""
    with open_store(Dsn("chdb", path=folder)) as ledger:
        filled(ledger.client, attempts)


if __name__ == "__main__":
    main()
