"""Alert rules for Grafana: what it loads is what the ledger's rules say, in the form that it takes."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from dashboards.asking import ask, choice
from dashboards.traffic import HOSTILE, UNTIL

from farebox_dashboards import DASHBOARDS
from farebox_dashboards._alerts import grafana_rule, provisioning
from farebox_dashboards._macros import Range, expand
from farebox_dashboards.alerts import ALERTS, PLACED
from farebox_ledger import Store
from farebox_ledger.alerts import LAG, RULES, measure

ROOT = Path(__file__).parents[2]
FILE = ROOT / "dashboards" / "grafana" / "provisioning" / "alerting" / "farebox.yaml"
RULE = {f"farebox-{rule.name}": rule for rule in RULES}
GROUPS = yaml.safe_load(FILE.read_text(encoding="utf-8"))["groups"]
LOADED: dict[str, dict[str, Any]] = {rule["uid"]: rule for group in GROUPS for rule in group["rules"]}


def test_the_file_is_current() -> None:
    """The committed file is what the code writes."""
    assert FILE.read_text(encoding="utf-8") == ALERTS


def test_the_file_says_what_the_rules_say() -> None:
    """Read as YAML it is the rules' own data: nothing is lost between blocks, dashes and quotes."""
    assert {f"farebox-{placed[0].name}": grafana_rule(*placed) for placed in PLACED} == LOADED
    assert set(LOADED) == set(RULE)
    assert {group["name"]: group["interval"] for group in GROUPS} == {"farebox": "1m", "farebox-slow": "10m"}


@pytest.mark.parametrize("uid", RULE)
def test_a_rule_bears_what_grafana_needs(uid: str) -> None:
    """Thresholds, times and severity are the rule's own; the condition is a step, and the panel exists."""
    loaded, rule = LOADED[uid], RULE[uid]
    panels = {(each.uid, str(panel["id"])) for each in DASHBOARDS for panel in each.as_data()["panels"]}
    (condition,) = [step for step in loaded["data"] if step["refId"] == loaded["condition"]]
    (threshold,) = condition["model"]["conditions"]

    assert threshold["evaluator"] == {"type": "gt", "params": [rule.above]}
    assert threshold.get("unloadEvaluator", {"params": [None]})["params"] == [rule.until_below]
    assert (loaded["for"], loaded["keepFiringFor"]) == tuple(
        f"{each // 60}m" if each else "0s" for each in (rule.pending_s, rule.keep_firing_s)
    )
    assert (loaded["annotations"]["__dashboardUid__"], loaded["annotations"]["__panelId__"]) in panels
    assert loaded["labels"] == {"severity": rule.severity, "source": "farebox"}


def test_the_file_replaces_nothing_of_the_users() -> None:
    """There are rules alone: a policy in a file would replace the whole tree of them."""
    assert set(yaml.safe_load(ALERTS)) == {"apiVersion", "groups"}


@pytest.mark.parametrize("uid", RULE)
def test_messages_name_labels_and_steps_that_there_are(uid: str) -> None:
    """What messages show is a label of the rule or a step that is asked; what is asked is shown or decides."""
    loaded, rule = LOADED[uid], RULE[uid]
    said = " ".join(loaded["annotations"].values())
    steps = {step["refId"] for step in loaded["data"]}

    assert set(re.findall(r"\$labels\.(\w+)", said)) <= set(rule.labels)
    assert set(re.findall(r"\$values\.(\w+)\.Value", said)) | {"A", "C"} == steps
    assert not re.search(r"(?<!\{)\{(?!\{)|(?<!\})\}(?!\})", said)
    assert "${" not in said, "Grafana takes it for a variable of its environment"
    assert loaded["annotations"]["link"].startswith("{{ externalURL }}d/" + rule.leads_to + "?from=")


@pytest.mark.parametrize("uid", RULE)
def test_an_answer_is_one_number_a_row(uid: str, busy: Store) -> None:
    """One numeric column, no time, the rest texts: only then is each row an alert of its own, with labels."""
    for step in LOADED[uid]["data"]:
        if step["datasourceUid"] != "__expr__":
            sql = expand(step["model"]["rawSql"], {}, Range.of(UNTIL - timedelta(hours=1), UNTIL))
            columns = [row[:2] for row in busy.client.query(f"DESCRIBE TABLE ({sql})").result_rows]
            numbers = [name for name, kind in columns if re.match(r"(Nullable\()?(Float|U?Int)", kind)]
            texts = [name for name, kind in columns if re.match(r"String|LowCardinality\(String", kind)]
            assert len(numbers) == 1
            assert texts == (list(RULE[uid].labels) if step["refId"] not in "YZ" else [])
            assert len(columns) == len(texts) + 1
            assert "${" not in step["model"]["rawSql"]


@pytest.mark.parametrize("uid", RULE)
def test_grafana_measures_what_farebox_measures(uid: str, busy: Store) -> None:
    """The steps' own SQL, with the plugin's macros written out, gives the numbers that `farebox alerts check` has."""
    until = UNTIL - LAG
    rule = RULE[uid]
    expected = {each.key[1:]: each.value for each in measure(busy.client, rule, until)}
    asked = next(step for step in LOADED[uid]["data"] if step["refId"] == "A")
    rows = busy.client.query(
        expand(asked["model"]["rawSql"], {}, Range.of(until - timedelta(hours=1), until))
    ).result_rows

    assert {tuple(row[:-1]): row[-1] for row in rows} == pytest.approx(expected)


def test_firings_are_annotations(fresh_store: Store) -> None:
    """What fired and what is over is drawn, of the chosen routes and of none; what waits is not."""
    states = [
        [UNTIL, "spend-spike", {"route": HOSTILE}, "firing", "page", f"{HOSTILE} spent"],
        [UNTIL, "spend-spike", {"route": "other"}, "firing", "page", "other spent"],
        [UNTIL, "not-priced", {"model": "m"}, "resolved", "ticket", "m has no price"],
        [UNTIL, "not-priced", {"model": "n"}, "pending", "ticket", "n has no price"],
    ]
    columns = ["at", "rule", "labels", "state", "severity", "summary"]
    fresh_store.client.insert("alert_states", states, column_names=columns)
    until = UNTIL + timedelta(hours=1)
    rows = ask(fresh_store.client, "alert_changes", UNTIL, until, choice(route=[HOSTILE]))

    assert [(row["title"], row["text"], row["tags"]) for row in rows] == [
        ("Alert over", "Over: m has no price", "alert,ticket"),
        ("Alert", f"{HOSTILE} spent", "alert,page"),
    ]
    assert len(ask(fresh_store.client, "alert_changes", UNTIL, until)) == 3


def test_a_contact_point_is_named_where_there_is_one() -> None:
    """With a receiver each rule goes to it, past Grafana's own policies; without one they decide."""
    loaded = yaml.safe_load(provisioning(PLACED, "farebox"))

    named = [rule["notification_settings"] for group in loaded["groups"] for rule in group["rules"]]
    assert named == [{"receiver": "farebox"}] * len(PLACED)
    assert not any("notification_settings" in rule for rule in LOADED.values())
