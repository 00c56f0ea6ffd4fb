"""Spend spikes: told within ten minutes, never on a quiet day; the SQL agrees with a second opinion in Python."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pytest
from benchmarks.alert_histories import DAY, History, Watch, histories, ledger_of, moment
from benchmarks.alerts import FIRST, HOURLY, LAG_MINUTES, NEVER, QUICK, alarms, spike_delays
from clickhouse_connect.driver.client import Client

from farebox_ledger import Dsn
from farebox_ledger._store import connect
from farebox_ledger.alerts import RULES, measure

SPIKE_AT = FIRST + 900
RULE = {rule.name: rule for rule in RULES}


@pytest.mark.parametrize(("name", "watch"), [("spend-spike", QUICK), ("spend-spike-hourly", HOURLY)])
def test_the_second_opinion_judges_by_the_rules_own_numbers(name: str, watch: Watch) -> None:
    """Threshold, pending time and what the question is given are the same in the rule and in the benchmark."""
    rule = RULE[name]

    assert (rule.above, rule.pending_s) == (watch.above, watch.pending * 60)


def test_sixty_of_sixty_spikes_are_told_within_ten_minutes() -> None:
    """Three times the usual on routes above a dollar in ten minutes fires by the tenth minute, arrival and all."""
    made = [each for each in histories(21, 18, 2, 1.5, 30) if each.job is None][:12]
    delays, _ = spike_delays(made, QUICK, 20, 1)

    assert len(delays) == 60
    assert delays.max() <= 10


def test_quiet_routes_are_told_by_the_hour() -> None:
    """Three times the usual on quieter routes fires within the hour for most, and the rule says so."""
    made = [each for each in histories(22, 12, 2, 0.1, 1) if each.job is None]
    delays, _ = spike_delays(made, HOURLY, 120, 0.1)

    assert np.mean(delays <= 60) > 0.85
    assert np.median(delays[delays < NEVER]) <= 30


@pytest.mark.parametrize(("watch", "usd"), [(QUICK, (1, 30)), (HOURLY, (0.05, 1))])
def test_thirty_quiet_days_are_silent(watch: Watch, usd: tuple[float, float]) -> None:
    """Rhythm of days and weeks, growth, launches and jobs at fixed times fire nothing in thirty days."""
    made = list(histories(2, 6, 30, *usd))

    assert alarms(made, watch) == 0


@pytest.fixture(scope="module")
def made() -> dict[str, History]:
    """Eight routes, among them one with a daily job and some that were launched."""
    return {f"r{number}": each for number, each in enumerate(histories(4, 8, 1, 0.5, 30))}


@pytest.fixture(scope="module")
def spiked(made: dict[str, History]) -> dict[str, np.ndarray]:
    """What they spent, with a spike of an hour in each."""
    random = np.random.default_rng(7)
    return {route: each.spiking(random, SPIKE_AT, 60) for route, each in made.items()}


@pytest.fixture(scope="module")
def ledger(ledger_folder, ledger_client, spiked) -> Iterator[Client]:
    """A database with the two tables that the question reads, a row a route and minute."""
    with connect(Dsn("chdb", path=ledger_folder), None) as client:
        client.command("CREATE DATABASE spikes ENGINE = Atomic")
        client.database = "spikes"
        ledger_of(client, spiked)
        yield client
        client.command("DROP DATABASE spikes SYNC")


@pytest.mark.parametrize("minute", [-400, -30, 2, 5, 9, 40])
def test_the_sql_agrees_with_a_second_opinion(minute: int, ledger: Client, spiked: dict[str, np.ndarray]) -> None:
    """ClickHouse gives the number that Python works out from the same minutes, before a spike and in it."""
    at = SPIKE_AT + minute
    for name, watch in (("spend-spike", QUICK), ("spend-spike-hourly", HOURLY)):
        for each in measure(ledger, RULE[name], moment(at)):
            usd = spiked[each.labels["route"]]
            opinion = watch.deviations(usd, [at])[0]
            left_out = name == "spend-spike-hourly" and each.facts["expected"] >= 6
            assert each.value == pytest.approx(0 if left_out else opinion, rel=1e-6, abs=1e-9)
            assert each.facts["spent"] == pytest.approx(usd[at - 10 * watch.step : at].sum(), rel=1e-6)


def test_the_sql_tells_a_spike_in_time(ledger: Client, made: dict[str, History]) -> None:
    """Asked once a minute, a minute late, the SQL itself fires by the tenth minute on routes it knows for a week."""
    rule = RULE["spend-spike"]
    dear = {route for route, each in made.items() if each.level[SPIKE_AT] >= 1 and each.usd[:DAY].any()}
    above = [
        {each.labels["route"] for each in measure(ledger, rule, moment(SPIKE_AT + minute)) if each.value > rule.above}
        for minute in range(11 - LAG_MINUTES)
    ]

    fired = set().union(*(one & two for one, two in pairwise(above)))
    assert len(dear) >= 3
    assert dear <= fired
