"""The demo from curtain to curtain: start all, send the traffic, print the report, audit the ledger, stop all."""

from __future__ import annotations

import json
import secrets
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import chain, count
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from farebox_demo.errors import DemoError
from farebox_demo.lifecycle import clear_environment
from farebox_demo.stage import FOLDER, Ledger, Providers, open_ledger, open_providers
from farebox_ledger._terminal import console

if TYPE_CHECKING:
    from farebox_demo.audit import Audit
    from farebox_demo.traffic import Traffic

__all__ = ["Demo"]

FLUSH_S = 60.0
FLUSH_STEP_S = 1.0
STAY_PAUSE_S = 0.5
STAY_PLANNED = 200
EXIT_DISCREPANCY = 1
# What the demo's minutes fill, and often enough for a newcomer to see it move.
OVERVIEW = "from=now-15m&to=now&refresh=10s"


@dataclass
class Demo:
    """One run of the demo; `run` returns the exit code."""

    calls: int
    seed: int
    stay: bool = False
    as_json: bool = False
    name: str = field(default_factory=lambda: secrets.token_hex(4))

    def __post_init__(self) -> None:
        self.console = Console(stderr=True, highlight=False) if self.as_json else console()
        self._began = datetime.now(UTC)

    def run(self) -> int:
        """Run it: 0 when ledger and invoices agree, 1 when they do not.

        Raises:
            DemoError: something it needs does not start or stay alive.
        """
        with _orderly_end(), open_ledger(self._say) as ledger, open_providers(self.seed, self.name) as providers:
            clear_environment(f"http://127.0.0.1:{ledger.otlp_port}")
            traffic = self._play(ledger, providers)
            audit = self._report(ledger, providers, traffic)
            if self.stay:
                self._stay(ledger, providers, traffic)
        return 0 if audit.passed else EXIT_DISCREPANCY

    def _say(self, sentence: str) -> None:
        self.console.print(sentence, markup=False, soft_wrap=True)

    def _play(self, ledger: Ledger, providers: Providers) -> Traffic:
        # The SDKs take a second to import: time in which the processes start.
        from farebox_demo.traffic import Traffic
        from farebox_demo.workload import plan

        tasks = plan(self.calls, self.seed, self.name)
        turns = sum(len(task.turns) for task in tasks)
        traffic = Traffic(providers.url, run=self.name)
        ledger.wait_ready()
        self._say(f"Asking for {turns:,} answers in {len(tasks):,} tasks, on threads and asyncio, streamed and not.")
        columns = (TextColumn("calls"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=self.console, transient=True, disable=not self.console.is_terminal) as progress:
            bar = progress.add_task("calls", total=turns)

            def look() -> None:
                ledger.check()
                providers.check()
                progress.update(bar, completed=traffic.tally.turns)

            traffic.run(tasks, look)
        return traffic

    def _report(self, ledger: Ledger, providers: Providers, traffic: Traffic) -> Audit:
        from farebox_demo import rates, statement
        from farebox_demo.audit import audit, read_invoice, read_ledger
        from farebox_ledger._period import NO_END, Period
        from farebox_ledger._report import make_report
        from farebox_ledger.commands.report import print_report

        self._flush(ledger)
        providers.wait_idle()
        period = Period(self._began, NO_END)
        report = ledger.read(lambda client: make_report(client, period, ("route",)))
        rows = ledger.read(lambda client: read_ledger(client, self.name))
        judged = ledger.read(lambda client: rates.read_judgements(client, self.name))
        measured = rates.measure(rates.read_shown(providers.invoice), judged)
        result = audit(read_invoice(providers.invoice), rows, traffic.tally.left)
        seconds = (datetime.now(UTC) - self._began).total_seconds()
        if self.as_json:
            told = {"seed": self.seed, "seconds": round(seconds, 1), "report": report.as_json()}
            told |= {"failures": rates.as_json(measured), "audit": statement.as_json(result)}
            sys.stdout.write(json.dumps(told, indent=2) + "\n")
        else:
            print_report(report)
            rates.show(measured, self.console)
            statement.show(result, self.console)
        calls = traffic.tally.calls
        self._say(f"{calls:,} calls, {len(rows):,} attempts, {seconds:.0f} s; invoice: {providers.invoice}")
        bills = _write_bills(providers.invoice)
        self._say(f"The same as bills: farebox reconcile --today --dsn {ledger.dsn} {bills}/*.json")
        return result

    def _flush(self, ledger: Ledger) -> None:
        import farebox

        until = time.monotonic() + FLUSH_S
        while not farebox.flush(timeout_s=FLUSH_STEP_S):
            ledger.check()
            if time.monotonic() > until:
                raise DemoError(
                    f"not all spans could be delivered to {ledger.dsn} within {FLUSH_S:.0f} s; see {FOLDER}/up.log"
                )

    def _stay(self, ledger: Ledger, providers: Providers, traffic: Traffic) -> None:
        from farebox_demo.workload import plan

        self._say(_addresses(ledger, providers))
        later = count(self.seed + 1)
        tasks = chain.from_iterable(plan(STAY_PLANNED, seed, f"{self.name}-{seed}") for seed in later)
        try:
            traffic.trickle(tasks, STAY_PAUSE_S, ledger.check)
        except KeyboardInterrupt:
            self._say("Stopping.")


def _write_bills(invoice: Path) -> Path:
    """Write what is invoiced as bills in each provider's own shape, and below as the files that people export."""
    from farebox_demo.providers._bills import write_bills
    from farebox_demo.providers._exports import write_exports

    folder = invoice.with_name(invoice.stem.replace("invoice", "bills"))
    write_bills(invoice, folder)
    write_exports(invoice, folder / "csv")
    return folder


def _addresses(ledger: Ledger, providers: Providers) -> str:
    viewer = (
        f"http://127.0.0.1:{ledger.viewer_port}/d/farebox-overview?from=now-30m&to=now&refresh=10s"
        if ledger.viewer_port
        else "not installed"
    )
    return f"""
Running until Ctrl-C, with slow traffic:
  Dashboards           {viewer}
  OTLP/HTTP            http://127.0.0.1:{ledger.otlp_port}   (OTEL_EXPORTER_OTLP_ENDPOINT)
  ClickHouse HTTP      http://127.0.0.1:{ledger.clickhouse_port}   (read-only, database {ledger.dsn.database})
  simulated providers  {providers.url}   (base_url of a client: /anthropic, /openai/v1, …)
  invoice              {providers.invoice}
Ask in another terminal: FAREBOX_DSN={ledger.dsn} farebox report"""


@contextmanager
def _orderly_end() -> Iterator[None]:
    """Turn SIGTERM and SIGHUP into an orderly end, like Ctrl-C: children first."""

    def end(number: int, _: FrameType | None) -> None:
        sys.exit(128 + number)

    former = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
