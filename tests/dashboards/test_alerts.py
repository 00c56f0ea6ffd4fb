"""Alert rules: what Grafana loads is what the code says, and spikes are told from ordinary days on seeded histories."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
import yaml
from ledger.spans import attempt, store

from farebox_dashboards import DASHBOARDS
from farebox_dashboards._macros import Range, expand
from farebox_dashboards._sql import alert_sql
from farebox_dashboards.alerts import ALERTS, CALM_DEVIATIONS, RULES, SPIKE_DEVIATIONS
from farebox_ledger import Dsn, Store, open_store

ROOT = Path(__file__).parents[2]
FILE = ROOT / "dashboards" / "grafana" / "provisioning" / "alerting" / "farebox.yaml"
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
SUNDAY = datetime(2026, 11, 22, 18, 0, tzinfo=UTC)
SINCE = SUNDAY - 9 * DAY
STEP = 2 * MINUTE
HAIKU_TOKEN_USD = 0.000001
CALL_USD = 0.01


def rules() -> dict[str, dict[str, Any]]:
    """The rules as Grafana reads them from the file."""
    (group,) = yaml.safe_load(FILE.read_text(encoding="utf-8"))["groups"]
    return {rule["uid"]: rule for rule in group["rules"]}


def test_the_file_is_current() -> None:
    """The committed file is what the code writes."""
    assert FILE.read_text(encoding="utf-8") == ALERTS


def test_the_file_says_what_the_rules_say() -> None:
    """Read as YAML it is the rules' own data: nothing is lost between blocks, dashes and quotes."""
    assert list(rules().values()) == [rule.as_data(dashboard) for rule, dashboard in RULES]


def test_rules_bear_what_grafana_needs() -> None:
    """Uids stay, conditions name a step, panels exist, and there is no policy that would replace others."""
    panels = {(each.uid, str(panel["id"])) for each in DASHBOARDS for panel in each.as_data()["panels"]}

    assert list(rules()) == [
        "farebox-spend-spike",
        "farebox-spend-spike-hourly",
        "farebox-not-priced",
        "farebox-ledger-silent",
    ]
    for rule in rules().values():
        assert rule["condition"] in {step["refId"] for step in rule["data"]}
        notes = rule["annotations"]
        assert (notes["__dashboardUid__"], notes["__panelId__"]) in panels
        assert "$" not in "".join(rule["labels"].values())
    assert set(yaml.safe_load(ALERTS)) == {"apiVersion", "groups"}


@pytest.mark.parametrize("uid", rules())
def test_an_answer_is_one_number_a_row(uid: str, spiking: Store) -> None:
    """One numeric column, no time, the rest texts: only then is each row an alert of its own, with labels."""
    for step in rules()[uid]["data"]:
        if step["datasourceUid"] != "__expr__":
            sql = expand(step["model"]["rawSql"], {}, Range.of(SUNDAY - HOUR, SUNDAY))
            kinds = [row[1] for row in spiking.client.query(f"DESCRIBE TABLE ({sql})").result_rows]
            assert sum(bool(re.match(r"(Nullable\()?(Float|U?Int)", kind)) for kind in kinds) == 1
            assert not [kind for kind in kinds if "Date" in kind or "Decimal" in kind]
            assert "${" not in step["model"]["rawSql"]


# --- seeded histories --------------------------------------------------------------------------------------


def rhythm(moment: datetime) -> float:
    """Give the level of a working day: nights are quiet, weekends at half."""
    hour = moment.hour + moment.minute / 60
    daily = 1 + 0.7 * math.sin((hour - 9) / 24 * 2 * math.pi)
    return daily * (0.5 if moment.weekday() >= 5 else 1.0)


def spikes(moment: datetime, factor: float = 3) -> float:
    return factor if moment >= SUNDAY - HOUR else 1


# Dollars in ten minutes, as a function of time.
ROUTES: dict[str, Callable[[datetime], float]] = {
    "dear": lambda moment: 4 * rhythm(moment) * spikes(moment),
    "steady": lambda moment: 4 * rhythm(moment),
    "growing": lambda moment: 3 * rhythm(moment) * 1.15 ** ((moment - SINCE) / DAY),
    "launched": lambda moment: 20 if moment >= SUNDAY - 20 * HOUR else 0,
    "cheap": lambda moment: 0.12 * spikes(moment),
    "pennies": lambda moment: 0.002 * spikes(moment, 10),
}


@pytest.fixture(scope="module")
def spiking(ledger_folder, ledger_client) -> Iterator[Store]:
    """Nine days of routes with daily and weekly rhythm, some of which spike in the last hour."""
    random = Random(11)
    made = []
    for route, level in ROUTES.items():
        moment = SINCE
        while moment < SUNDAY:
            calls = level(moment) / CALL_USD * (STEP / (10 * MINUTE))
            usd = max(random.gauss(calls, math.sqrt(1.5 * calls)), 0) * CALL_USD
            tokens = {"uncached_input_tokens": round(usd / HAIKU_TOKEN_USD), "output_tokens": 0}
            if usd:
                made.append(attempt(usage=tokens, started_at=moment + random.random() * STEP, route=route))
            moment += STEP
    with open_store(Dsn("chdb", "alerts", path=ledger_folder)) as opened:
        store(opened.client, *made)
        yield opened
        opened.client.command("DROP DATABASE alerts SYNC")


def deviations(ledger: Store, question: str, moment: datetime) -> dict[str, float]:
    rows = ledger.client.query(expand(alert_sql(question), {}, Range.of(moment - HOUR, moment))).result_rows
    return dict(rows)


def test_a_dear_route_is_caught_within_ten_minutes(spiking: Store) -> None:
    """Three times the usual on a Sunday evening: for two minutes, seen a minute late, and still by the tenth."""
    begun = SUNDAY - HOUR
    above = [
        minute
        for minute in range(15)
        if deviations(spiking, "spend_spike", begun + minute * MINUTE).get("dear", 0) > SPIKE_DEVIATIONS
    ]

    assert above[0] + 2 + 1 <= 10
    assert above == list(range(above[0], 15))


def test_quiet_days_are_silent(spiking: Store) -> None:
    """Rhythm, weekends, growth and a launch fire nothing in a day and a half."""
    moment = SUNDAY - 40 * HOUR
    while moment < SUNDAY - HOUR:
        for question in ("spend_spike", "spend_spike_hourly"):
            found = deviations(spiking, question, moment)
            assert max(found.values()) < SPIKE_DEVIATIONS, (question, moment, found)
            assert found.get("steady", 0) < CALM_DEVIATIONS
        moment += 90 * MINUTE


def test_a_quiet_route_is_caught_within_the_hour(spiking: Store) -> None:
    """What is too cheap for the fast rule is caught by the hourly one; pennies by none, whatever they do."""
    assert deviations(spiking, "spend_spike", SUNDAY)["cheap"] == 0
    assert deviations(spiking, "spend_spike_hourly", SUNDAY)["cheap"] > SPIKE_DEVIATIONS
    assert deviations(spiking, "spend_spike_hourly", SUNDAY)["pennies"] == 0


def test_the_message_names_the_dollars(spiking: Store) -> None:
    """The second number of the message is what was spent in the window."""
    rows = dict(
        spiking.client.query(expand(alert_sql("spend_spike_usd"), {}, Range.of(SUNDAY - HOUR, SUNDAY))).result_rows
    )

    assert rows["dear"] == pytest.approx(4 * rhythm(SUNDAY) * 3, rel=0.15)


def test_a_model_without_a_price_is_named(fresh_store: Store) -> None:
    """Each model and provider without a price is an alert; those with one are none."""
    store(fresh_store.client, attempt("claude-haiku-9"), attempt("claude-haiku-9"), attempt())
    now = datetime(2026, 11, 20, 12, 1, tzinfo=UTC)
    answer = fresh_store.client.query(expand(alert_sql("not_priced"), {}, Range.of(now - HOUR, now)))

    assert answer.result_rows == [("claude-haiku-9", "anthropic", 2)]


def test_a_silent_ledger_is_told(fresh_store: Store) -> None:
    """A ledger that never received anything counts as silent for a day; one that just did does not."""
    question = expand(alert_sql("ledger_silent"), {}, Range.of(SUNDAY, SUNDAY))
    assert fresh_store.client.query(question).result_rows == [(86400,)]
    now = fresh_store.client.query("SELECT now('UTC')").result_rows[0][0]
    store(fresh_store.client, attempt(started_at=now.replace(tzinfo=UTC)))

    assert fresh_store.client.query(question).result_rows[0][0] < 60
