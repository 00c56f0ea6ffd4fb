"""Do open viewers slow the collector down? Ten of them on a big ledger, while spans arrive.

    PYTHONPATH=tests python tests/benchmarks/viewers.py [--attempts 10000000] [--rate 5000] [--seconds 60] [--folder F]

`farebox up` runs on the ledger of `ledger.py`. Spans are sent at a rate, first alone, then with viewers that each show
a dashboard over the last day and ask anew every ten seconds, all its panels, six at a time as a browser does, if the
last answers are there. Printed are spans acknowledged a second without and with viewers, and what a panel takes.
"""

from __future__ import annotations

import argparse
import multiprocessing
import statistics
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
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
AT_ONCE = 6
ALL = ["$__all"]
END = BEGIN + timedelta(days=DAYS) - timedelta(minutes=7)


def send(url: str, first: int, rate: float, seconds: float, told: Any) -> None:
    """Send batches at a rate, each once the one before is acknowledged; tell how many spans were."""
    began = time.monotonic()
    sent = 0
    with requests.Session() as session:
        while (now := time.monotonic()) - began < seconds:
            due = began + sent / rate
            if due > now:
                time.sleep(due - now)
            numbers = range(first + sent, first + sent + BATCH)
            body = traces(*map(attempt, numbers)).SerializeToString()
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


def watch(url: str, uid: str, until: float, took: list[float]) -> None:
    """Show one dashboard until a moment, and note what each panel takes, in seconds."""
    session = requests.Session()
    board = session.get(f"{url}/api/dashboards/{uid}", timeout=60).json()
    names = {each["name"]: ALL if each.get("includeAll") else "" for each in board["templating"]["list"]}
    names.pop("datasource", None)
    panels = [each["id"] for each in board["panels"] if each.get("targets")]
    opened = datetime.now(UTC)

    def ask(panel: int) -> None:
        moved = (datetime.now(UTC) - opened) // timedelta(seconds=EVERY_S) * EVERY_S
        to = round(END.timestamp() * 1000) + 1000 * moved
        body = {
            "dashboard": uid,
            "panel": panel,
            "from": to - 86_400_000,
            "to": to,
            "interval": 600_000,
            "variables": names,
        }
        began = time.monotonic()
        requests.post(url + "/api/panel", json=body, timeout=120).raise_for_status()
        took.append(time.monotonic() - began)

    with ThreadPoolExecutor(AT_ONCE) as tabs:
        while time.monotonic() < until:
            began = time.monotonic()
            list(tabs.map(ask, panels))
            time.sleep(max(0.0, min(EVERY_S - (time.monotonic() - began), until - time.monotonic())))


def measure(folder: Path, options: argparse.Namespace) -> None:
    """Run the collector on the ledger and print what was measured."""
    up = start(folder)
    try:
        alone = arriving(up.otlp, 10**12, options.rate, options.seconds)
        boards = [each["uid"] for each in requests.get(up.viewer + "/api/dashboards", timeout=60).json()["dashboards"]]
        took: list[float] = []
        until = time.monotonic() + options.seconds
        watching = [
            threading.Thread(target=watch, args=(up.viewer, boards[number % len(boards)], until, took))
            for number in range(options.viewers)
        ]
        for each in watching:
            each.start()
        beside = arriving(up.otlp, 2 * 10**12, options.rate, options.seconds)
        for each in watching:
            each.join()
    finally:
        up.stop()
        up.end()
    cuts = statistics.quantiles(took, n=20)
    print(f"spans acknowledged a second: {alone:,.0f} alone, {beside:,.0f} with {options.viewers} viewers")
    print(f"ratio {beside / alone:.2f}")
    print(f"{len(took):,} panels: p50 {statistics.median(took):.2f} s, p95 {cuts[-1]:.2f} s, longest {max(took):.2f} s")


def main() -> None:
    """Fill a ledger, and watch it while spans arrive."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--attempts", type=int, default=10_000_000)
    parser.add_argument("--rate", type=float, default=5000)
    parser.add_argument("--viewers", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=60)
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
