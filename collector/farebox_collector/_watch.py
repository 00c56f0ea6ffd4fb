"""Watches the collector itself: a row a minute in the ledger's database, and all of it for Prometheus at any time."""

from __future__ import annotations

import logging
import os
import resource
import secrets
import socket
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from farebox_collector._counts import BUCKETS_MS, Counts

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

__all__ = ["Watch", "prometheus_text"]

TABLE = "collector_health"
MINUTE_S = 60.0
PREFIX = "farebox_collector_"
# Columns of the table that are counts of the same name.
SAME = (
    "spans_received",
    "spans_stored",
    "spans_duplicate",
    "spans_rejected",
    "spans_quarantined",
    "log_records_received",
    "log_records_stored",
    "log_records_quarantined",
    "inserts",
    "insert_failures",
)
# Counts whose names end in what Prometheus has labels for.
LABELLED = {"requests_": "signal", "responses_": "status"}

_log = logging.getLogger("farebox.collector")


class Watch:
    """The thread that writes a row a minute; a minute that cannot be written is part of the next."""

    def __init__(self, client: Client, counts: Counts, gauges: Callable[[], dict[str, float]]) -> None:
        self._client = client
        self._counts = counts
        self._gauges = gauges
        self._instance = secrets.token_hex(8)
        self._before: dict[str, int] = {}
        self._tops: dict[str, float] = {}
        self._began = time.monotonic()
        self._minute = _this_minute()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="farebox-watch", daemon=True)
        self._thread.start()

    def close(self, timeout_s: float) -> bool:
        """Write what the last minute holds and end; False when that took longer than the time given."""
        self._closing.set()
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def write(self) -> None:
        """Write a row of what happened since the last one."""
        counts, now = self._counts.all(), time.monotonic()
        for name, value in self._counts.take_tops().items():
            self._tops[name] = max(value, self._tops.get(name, value))
        since = Counter({name: number - self._before.get(name, 0) for name, number in counts.items()})
        row = self._row(since, now - self._began)
        self._client.insert(TABLE, [list(row.values())], column_names=list(row))
        self._before, self._tops, self._began, self._minute = counts, {}, now, _this_minute()

    def _run(self) -> None:
        failed = False
        try:
            while not self._closing.wait(MINUTE_S - time.time() % MINUTE_S):
                failed = self._try(failed)
            self._try(failed)
        finally:
            self._client.close()

    def _try(self, failed: bool) -> bool:
        """Write a row; whether it failed. The first failure in a row is logged."""
        try:
            self.write()
        except Exception as error:  # noqa: BLE001 -- watching must not end what is watched, nor itself
            if not failed:
                _log.warning(
                    "The collector's health cannot be written to %s: %s", TABLE, " ".join(str(error).split())[:300]
                )
            return True
        return False

    def _row(self, since: Counter[str], seconds: float) -> dict[str, Any]:
        gauges = self._gauges()
        return {
            "minute": self._minute,
            "instance": self._instance,
            "host": socket.gethostname(),
            "version": version("farebox"),
            "seconds": seconds,
            "requests": _of(since, "requests_"),
            "requests_refused": _of(since, "responses_4"),
            "requests_deferred": _of(since, "responses_5"),
            **{name: since[name] for name in SAME},
            "acknowledge_ms_p99": self._tops.get("acknowledge_ms_p99"),
            "journal_bytes": int(gauges["journal_bytes"]),
            "journal_segments": int(gauges["journal_segments"]),
            "journal_age_s": gauges["journal_age_s"],
            "journal_damaged": since["journal_torn"] + since["journal_corrupt"],
            "lag_s": self._tops.get("lag_s"),
            "insert_s": since["insert_ms"] / 1000,
            "insert_ms_max": self._tops.get("insert_ms_max"),
            "engine_memory_bytes": self._engine_memory(),
            "process_memory_bytes": process_memory(),
        }

    def _engine_memory(self) -> int:
        rows = self._client.query("SELECT value FROM system.metrics WHERE metric = 'MemoryTracking'").result_rows
        return max(int(rows[0][0]), 0) if rows else 0


def process_memory() -> int:
    """Return the bytes of this process that are in memory; where that is not told, the most that ever were."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else peak * 1024


def prometheus_text(counts: Counts, gauges: dict[str, float]) -> str:
    """Write everything counted and measured as Prometheus reads it.

    Source: prometheus.io/docs/instrumenting/exposition_formats, read 2026-11-23.
    """
    lines: list[str] = []
    named: dict[str, list[tuple[str, int]]] = {}
    for name, number in counts.all().items():
        prefix = next((each for each in LABELLED if name.startswith(each)), None)
        if prefix is None:
            named.setdefault(name, []).append(("", number))
        else:
            label = f'{{{LABELLED[prefix]}="{name.removeprefix(prefix)}"}}'
            named.setdefault(prefix.rstrip("_"), []).append((label, number))
    for name, values in named.items():
        lines.append(f"# TYPE {PREFIX}{name}_total counter")
        lines += [f"{PREFIX}{name}_total{label} {number}" for label, number in values]
    for name, value in {**gauges, "process_memory_bytes": process_memory()}.items():
        lines += [f"# TYPE {PREFIX}{name} gauge", f"{PREFIX}{name} {value:g}"]
    for name, (buckets, sum_ms) in counts.durations().items():
        metric = PREFIX + name.removesuffix("_ms") + "_seconds"
        lines.append(f"# TYPE {metric} histogram")
        total = 0
        for bound, number in zip((*BUCKETS_MS, float("inf")), buckets, strict=True):
            total += number
            shown = "+Inf" if bound == float("inf") else f"{bound / 1000:g}"
            lines.append(f'{metric}_bucket{{le="{shown}"}} {total}')
        lines += [f"{metric}_sum {sum_ms / 1000:g}", f"{metric}_count {total}"]
    return "\n".join(lines) + "\n"


def _of(since: Counter[str], prefix: str) -> int:
    return sum(number for name, number in since.items() if name.startswith(prefix))


def _this_minute() -> datetime:
    return datetime.now(UTC).replace(second=0, microsecond=0)
