"""How long does each question of the dashboards take? Over a day and a month, and over a month of one tenant.

    python tests/benchmarks/panels.py [--attempts 10000000] [--folder /tmp/ledger] [--times 3] [--only route]

Printed are milliseconds, the least of three since other work may share the cores: of the clock, and, in brackets, of
the CPU, engine and all, which bounds the clock's on a machine that does nothing else. The ledger is that of
`ledger.py`; a folder that is named is kept, and used again if it is there. A dashboard's name leaves the others out.
The rules of alerts are asked at the month's end, whatever they look back to.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

from clickhouse_connect.driver.client import Client
from ledger import BEGIN, DAYS, filled

from farebox_dashboards import DASHBOARDS
from farebox_dashboards._macros import ALL, Range, expand
from farebox_dashboards._sql import TEXTS, VARIABLES
from farebox_ledger import Dsn, open_store
from farebox_ledger.alerts import RULES, alert_sql

BAR_MS = 1000
END = BEGIN + timedelta(days=DAYS) - timedelta(minutes=7)  # cuts hours off, as a range that ends now does
# Of each column the length of the range, what Grafana makes the interval of 200 points, and the tenants chosen.
COLUMNS = {
    "24 h": (timedelta(days=1), 600, [ALL]),
    "30 d": (timedelta(days=DAYS) - timedelta(hours=1), 6 * 3600, [ALL]),
    "a tenant": (timedelta(days=DAYS) - timedelta(hours=1), 6 * 3600, ["tenant-3"]),
}


def questions() -> Iterator[tuple[str, str]]:
    """Go through everything that the dashboards ask, each statement once: where it stands, and its SQL."""
    seen = set()
    for dashboard in DASHBOARDS:
        data = dashboard.as_data()
        found = [(each["title"], target["rawSql"]) for each in data["panels"] for target in each.get("targets", [])]
        listed = data["templating"]["list"]
        found += [(f"${each['name']}", each["query"]["rawSql"]) for each in listed if each["type"] == "query"]
        found += [(each["name"], each["target"]["rawSql"]) for each in data["annotations"]["list"] if "target" in each]
        for title, sql in found:
            if sql not in seen:
                seen.add(sql)
                yield f"{dashboard.uid.removeprefix('farebox-')}: {title}", sql


def ask_all(client: Client, times: int, only: str) -> None:
    """Print how long each takes, and how many are above the bar."""
    print(f"{'':<60}" + "".join(f"{name:>18}" for name in COLUMNS), flush=True)
    slow = asked = 0
    for title, sql in questions():
        if not title.startswith(only):
            continue
        took = []
        for length, interval_s, tenants in COLUMNS.values():
            values = {**dict.fromkeys(TEXTS, ""), **{name: [ALL] for name in VARIABLES}, "tenant": tenants}
            took.append(least(client, expand(sql, values, Range.of(END - length, END, interval_s)), times))
        asked += 1
        slow += any(wall >= BAR_MS for wall, _ in took)
        cells = "".join(f"{wall:>9.0f} ({cpu:>4.0f}) ms" for wall, cpu in took)
        print(f"{title:<60}{cells}", flush=True)
    for rule in RULES:
        if f"alert: {rule.name}".startswith(only):
            wall, cpu = least(client, alert_sql(rule.question), times, {"until": END})
            asked, slow = asked + 1, slow + (wall >= BAR_MS)
            print(f"{f'alert: {rule.name}':<60}{wall:>9.0f} ({cpu:>4.0f}) ms", flush=True)
    print(f"{asked} questions, {slow} of them take {BAR_MS} ms or more")


def least(client: Client, sql: str, times: int, parameters: dict[str, Any] | None = None) -> tuple[float, float]:
    """Ask a few times and give the least milliseconds, of the clock and of this process's CPU."""
    walls, cpus = [], []
    for _ in range(times):
        wall, cpu = time.perf_counter(), time.process_time()
        client.query(sql, parameters)
        walls.append(1000 * (time.perf_counter() - wall))
        cpus.append(1000 * (time.process_time() - cpu))
    return min(walls), min(cpus)


def main() -> None:
    """Fill a ledger, refresh it, ask."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--attempts", type=int, default=10_000_000)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--only", default="", metavar="DASHBOARD")
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as temporary,
        open_store(Dsn("chdb", path=options.folder or Path(temporary))) as ledger,
    ):
        filled(ledger.client, options.attempts)
        ask_all(ledger.client, options.times, options.only)


if __name__ == "__main__":
    main()
