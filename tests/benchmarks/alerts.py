"""How soon spend spikes are seen, and how often there is a false alarm, over 200 seeded weeks.

    python tests/benchmarks/alerts.py [--weeks 200] [--checks 40]

Every minute of every week is judged by the second opinion of `alert_histories`; so many moments as `--checks` says are
asked of ClickHouse as well, with the SQL that Grafana and `farebox up` ask, and must give the same number.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.alert_histories import DAY, Floats, History, Watch, histories, ledger_of, moment

from farebox_ledger.alerts import RULES, alert_sql

LAG_MINUTES = 1
APART_MINUTES = 60  # alarms nearer to each other than this are one
QUICK = Watch(step=1, level=120, floor=0.75, above=4.5, pending=1)
HOURLY = Watch(step=6, level=30, floor=0.25, above=5.5, pending=2)
FIRST = 8 * DAY
NEVER = 10_000


def main() -> None:
    """Print the rates."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weeks", type=int, default=200)
    parser.add_argument("--checks", type=int, default=40)
    asked = parser.parse_args()
    for title, watch, usd, span in (
        ("Quick rule, routes of $1 to $30 in ten minutes", QUICK, (1, 30), 20),
        ("Hourly rule, routes of 5 cents to $1 in ten minutes", HOURLY, (0.05, 1), 180),
    ):
        made = list(histories(1, asked.weeks, 7, *usd))
        print(f"{title}: {alarms(made, watch)} false alarms in {len(made)} weeks")
        delays, near_job = spike_delays(made, watch, span, usd[0])
        show("spikes of three times", delays[~near_job], span)
        show("within an hour of a daily job of the same size", delays[near_job], span)
    for title, watch, usd in (("quick", QUICK, (1, 30)), ("hourly", HOURLY, (0.05, 1))):
        quiet = list(histories(2, 20, 30, *usd))
        print(f"30 quiet days of 20 routes, {title} rule: {alarms(quiet, watch)} false alarms")
    print(f"{check(asked.checks)} answers of ClickHouse agree with the second opinion")


def show(title: str, delays: Floats, span: int) -> None:
    """Print how soon spikes were told."""
    seen = delays[delays < NEVER]
    print(
        f"  {len(delays)} {title}: {np.mean(delays <= 10):.1%} told within 10 minutes, {np.mean(delays <= 60):.1%} "
        f"within 60, {np.mean(delays == NEVER):.1%} not within {span}; median {np.median(seen):.0f}, nine in ten "
        f"{np.quantile(seen, 0.9):.0f}, last {seen.max():.0f} minutes"
    )


def alarms(made: Sequence[History], watch: Watch) -> int:
    """Count alarms of histories in which there is nothing to find."""
    count = 0
    for each in made:
        at = np.flatnonzero(watch.fires(watch.deviations(each.usd, np.arange(FIRST, len(each.usd)))))
        count += int((np.diff(at, prepend=-APART_MINUTES - 1) > APART_MINUTES).sum())
    return count


def spike_delays(made: list[History], watch: Watch, span: int, least: float) -> tuple[Floats, Floats]:
    """Put five spikes into each week, one at a time; give the minutes until each was told, and which are near a job."""
    random = np.random.default_rng(5)
    delays, near_job = [], []
    for each in made:
        may = np.flatnonzero(each.level[: len(each.usd) - span] >= least)
        may = may[may >= max(FIRST, int(np.flatnonzero(each.usd)[0]) + 4 * DAY)]
        for at in random.choice(may, min(5, len(may)), replace=False):
            ends = np.arange(at - 3, at + span + 1)
            found = np.flatnonzero(watch.fires(watch.deviations(each.spiking(random, at, span), ends))[3:])
            delays.append(found[0] + LAG_MINUTES if len(found) else NEVER)
            near_job.append(each.near_job(int(at)))
    return np.array(delays), np.array(near_job)


def check(moments: int) -> int:
    """Ask ClickHouse at random moments, most of them with a spike, and hold it against the second opinion."""
    import clickhouse_connect

    random = np.random.default_rng(7)
    made = list(histories(4, 12, 2, 0.1, 30))
    spiked = {f"r{n}": each.spiking(random, FIRST + 900, 60) for n, each in enumerate(made)}
    agreed = 0
    with (
        tempfile.TemporaryDirectory() as folder,
        clickhouse_connect.get_client(interface="chdb", path=folder) as client,
    ):
        client.command("CREATE DATABASE histories ENGINE = Atomic")
        client.database = "histories"
        ledger_of(client, spiked)
        watches = {"spend_spike": QUICK, "spend_spike_hourly": HOURLY}
        for rule in (each for each in RULES if each.question in watches):
            for minute in random.integers(FIRST + 880, FIRST + 980, moments // 2):
                until = {"until": moment(int(minute))}
                rows = client.query(alert_sql(rule.question), parameters=until).named_results()
                for row in rows:
                    usd = spiked[row["route"]]
                    if row["expected"] < 6 or rule.question == "spend_spike":
                        opinion = watches[rule.question].deviations(usd, [minute])[0]
                        assert abs(row["value"] - opinion) < 1e-6 * max(opinion, 1), (row, opinion, minute)
                        agreed += 1
    return agreed


if __name__ == "__main__":
    main()
